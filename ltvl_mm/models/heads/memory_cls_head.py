"""A classifier that remembers the centroids of all classes."""

import torch
from mmpretrain.structures import DataSample
from torch import nn

from ltvl_mm.models.heads.cosine_cls_head import CosineClsHead
from ltvl_mm.models.losses.centroids_loss import compute_centroids_loss
from ltvl_mm.models.losses.loss_arguments import check_hard_samples
from ltvl_mm.registry import MODELS


def recall_memory(
    feats: torch.Tensor,
    shares: torch.Tensor,
    selection: torch.Tensor,
    centroids: torch.Tensor,
    *,
    reach: float = 10.0,
) -> tuple[torch.Tensor, torch.Tensor]:
    """Return the dynamic meta-embedding v of features f, but for its length.

    v = reach / d * (f + selection * (shares @ centroids)), d being the
    distance from f to the nearest centroid: short where no class is near.
    Source: OLTR, Liu et al. 2019 (arXiv 1904.05160), section 3; its code for
    reach.

    Args:
        feats: (N, F), not normalized.
        shares: (N, K) of each class in what is recalled, sum 1.
        selection: (N, F) in [-1, 1], what of it is taken.
        centroids: (K, F).
        reach: Factor on v.

    Returns:
        A (N, F) vector in the direction of v, and the (N, 1) float32
        |v| / (1 + |v|), which is 1 on a centroid.
    """
    mixed = feats + selection * (shares @ centroids)
    distance = torch.cdist(feats.float(), centroids.float())
    nearest = distance.amin(1, keepdim=True)
    # With |v| = length / nearest, and no division by 0 on a centroid.
    length = reach * mixed.float().norm(dim=1, keepdim=True)
    tiny = torch.finfo(length.dtype).tiny
    return mixed, length / (nearest + length).clamp(min=tiny)


@MODELS.register_module()
class MemoryClsHead(CosineClsHead):
    """z_k = scale * |v| / (1 + |v|) * cos(v, w_k); v of :func:`recall_memory`.

    Before training, ``ClassMeansHook`` sets the centroids to the mean
    features of the classes; a second loss updates them. Source: OLTR,
    Liu et al. 2019 (arXiv 1904.05160), section 3, and its code.

    Args:
        num_classes: K.
        in_channels: Width F of the features.
        scale: Largest logit, > 0.
        reach: Reach of the memory, > 0; see :func:`recall_memory`.
        centroids_weight: Factor on the part of
            :func:`.compute_centroids_loss` that moves the features; the
            centroids follow them whatever it is.
        margin: Margin of :func:`.compute_centroids_loss`.
        repulsion: Weight of the repulsion in :func:`.compute_centroids_loss`.
        kwargs: Further arguments of mmpretrain's LinearClsHead.

    Raises:
        ValueError: If reach is not positive.
    """

    def __init__(
        self,
        num_classes: int,
        in_channels: int,
        *,
        scale: float = 16.0,
        reach: float = 10.0,
        centroids_weight: float = 0.01,
        margin: float = 10.0,
        repulsion: float = 0.01,
        **kwargs: object,
    ) -> None:
        if not reach > 0:
            raise ValueError(f'reach must be > 0, got {reach}')
        super().__init__(num_classes, in_channels, scale=scale, **kwargs)
        self.reach = reach
        self.centroids_weight = centroids_weight
        self.centroids_options = {'margin': margin, 'repulsion': repulsion}
        self.hallucinator = nn.Linear(in_channels, num_classes)
        self.selector = nn.Linear(in_channels, in_channels)
        self.centroids = nn.Parameter(torch.zeros(num_classes, in_channels))
        self._known = False

    def has_centroids(self) -> bool:
        """Return whether a hook or a checkpoint has set the centroids."""
        if not self._known:  # asked until they are: it waits for the device
            self._known = bool(self.centroids.any())
        return self._known

    @torch.no_grad()
    def set_class_means(self, means: torch.Tensor) -> None:
        """Take the (K, F) mean features of the classes as centroids.

        Raises:
            ValueError: If they are of another shape.
        """
        if means.shape != self.centroids.shape:
            raise ValueError(
                f'MemoryClsHead remembers {tuple(self.centroids.shape)} '
                f'(classes, width), got means of {tuple(means.shape)}'
            )
        self.centroids.copy_(means)

    def forward(self, feats: tuple[torch.Tensor, ...]) -> torch.Tensor:
        """Map the last (N, F) of ``feats`` to (N, K) logits.

        Raises:
            ValueError: If the centroids are not set.
        """
        if not self.has_centroids():
            raise ValueError(
                'MemoryClsHead does not know the centroids of the classes; '
                "add dict(type='ltvl_mm.ClassMeansHook') to custom_hooks, or "
                'load a checkpoint'
            )
        x = self.pre_logits(feats)
        vector, squash = recall_memory(
            x,
            self.hallucinator(x).softmax(1),
            self.selector(x).tanh(),
            self.centroids.detach(),  # they learn by their own loss alone
            reach=self.reach,
        )
        return self.scale * squash * self.fc(vector)

    def loss(
        self,
        feats: tuple[torch.Tensor, ...],
        data_samples: list[DataSample],
        **kwargs: object,
    ) -> dict[str, torch.Tensor]:
        """Return the two losses of ((N, F),) features and their samples.

        Args:
            feats: ((N, F),) features.
            data_samples: N samples with labels.
            kwargs: Further arguments of the loss module, as in mmpretrain's
                ClsHead.

        Raises:
            ValueError: If the labels are soft: a feature has one centroid.
        """
        check_hard_samples(data_samples, self)
        losses = super().loss(feats, data_samples, **kwargs)
        losses['loss_class'] = losses.pop('loss')
        loss, follow = compute_centroids_loss(
            self.pre_logits(feats),
            torch.cat([sample.gt_label for sample in data_samples]),
            self.centroids,
            **self.centroids_options,
        )
        losses['loss_centroids'] = self.centroids_weight * loss + follow
        return losses

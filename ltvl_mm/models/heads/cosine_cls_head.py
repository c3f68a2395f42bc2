"""Cosine classifier head."""

import torch
import torch.nn.functional as F
from mmpretrain.models.heads import LinearClsHead
from mmpretrain.models.heads.margin_head import NormProduct

from ltvl_mm.registry import MODELS


@MODELS.register_module()
class CosineClsHead(LinearClsHead):
    """Cosine classifier with logits z_k = scale * cos(f, w_k).

    The norm of a class's weight vector does not change its logit. Source:
    NormedLinear in the code of LDAM, which applies the scale of 30 in the
    loss, and of RIDE, which applies it in the layer.

    Args:
        num_classes: Number of classes K.
        in_channels: Width F of the features.
        scale: Scale of the cosines and largest possible logit, > 0; default
            30.
        kwargs: Further arguments of mmpretrain's LinearClsHead.
    """

    def __init__(
        self,
        num_classes: int,
        in_channels: int,
        *,
        scale: float = 30.0,
        **kwargs: object,
    ) -> None:
        super().__init__(num_classes, in_channels, **kwargs)
        self.scale = scale
        self.fc = NormProduct(in_channels, num_classes, bias=False)

    @torch.no_grad()
    def set_class_means(self, means: torch.Tensor) -> None:
        """Start the classes at the directions of their mean features.

        Args:
            means: (K, F) mean features, not normalized.

        Raises:
            ValueError: If they are of another shape.
        """
        if means.shape != (self.num_classes, self.in_channels):
            raise ValueError(
                f'the head has {(self.num_classes, self.in_channels)} '
                f'(classes, width), got means of {tuple(means.shape)}'
            )
        self.fc.weight.copy_(F.normalize(means, dim=1))

    def forward(self, feats: tuple[torch.Tensor, ...]) -> torch.Tensor:
        """Map the last (N, F) of ``feats`` to (N, K) logits."""
        return self.scale * self.fc(self.pre_logits(feats))

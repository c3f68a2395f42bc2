"""ResLT: branches for all classes, for the rarer and for the rarest."""

import torch
import torch.nn.functional as F
from mmcv.cnn import ConvModule
from mmengine.model import BaseModule
from mmpretrain.models.heads import LinearClsHead
from mmpretrain.structures import DataSample

from ltvl_mm.models.hard_label_loss import HardLabelLoss
from ltvl_mm.models.loss_arguments import average
from ltvl_mm.registry import MODELS


@MODELS.register_module()
class ResLTNeck(BaseModule):
    """Map a feature map to one pooled feature per branch.

    Training applies a 1 x 1 convolution, BatchNorm and ReLU, then global
    average pooling. The authors' code pools before the convolution at test
    time; because of the ReLU that gives other logits. Source: ResLT, Cui et
    al. 2023 (arXiv 2101.10633), section 3.2, and its code (option
    ``--after_1x1conv``).

    Args:
        in_channels: Width C of the feature map.
        branches: Number of branches B of the loss: 3, or 2 on iNaturalist
            2018.
        test_pooling: ``'before'`` the convolution at test time, as in the
            authors' code (default), or ``'after'`` it, as in training.
        init_cfg: Initialization config of mmengine.

    Raises:
        ValueError: If there is no branch, or ``test_pooling`` is neither.
    """

    def __init__(
        self,
        in_channels: int,
        *,
        branches: int = 3,
        test_pooling: str = 'before',
        init_cfg: dict | None = None,
    ) -> None:
        if branches < 1:
            raise ValueError(f'branches must be >= 1, got {branches}')
        if test_pooling not in ('before', 'after'):
            raise ValueError(
                f"test_pooling must be 'before' or 'after', got "
                f'{test_pooling!r}'
            )
        super().__init__(init_cfg)
        self.test_pooling = test_pooling
        self.branches = branches
        self.expand = ConvModule(
            in_channels,
            branches * in_channels,
            1,
            bias=False,
            norm_cfg={'type': 'BN'},
        )

    def forward(
        self, feats: tuple[torch.Tensor, ...]
    ) -> tuple[torch.Tensor, ...]:
        """Map the last (N, C, H, W) feature map to B features (N, C)."""
        x = feats[-1]
        if not self.training and self.test_pooling == 'before':
            x = x.mean((2, 3), keepdim=True)  # (N, C, 1, 1)
        maps = self.expand(x)
        return maps.mean((2, 3)).chunk(self.branches, 1)


@MODELS.register_module()
class ResLTHead(LinearClsHead):
    """One linear classifier for all branches; predictions sum the branches.

    Args:
        num_classes: Number of classes K.
        in_channels: Width C of a branch.
        gamma: Exponent >= 0. For predictions, the weights of a class are
            divided by their norm to this power and the bias is left out. The
            authors use 0.7 on ImageNet-LT and evaluate with 0.0 on
            iNaturalist 2018. It depends on the data set: choose it on val
            with ``tools/analysis_tools/tune_classifier.py``.
        loss: Config of the loss, ``dict(type='ltvl_mm.ResLTLoss', ...)``.
        kwargs: Arguments of mmpretrain's LinearClsHead.
    """

    def __init__(
        self,
        num_classes: int,
        in_channels: int,
        *,
        loss: dict,
        gamma: float = 0.7,
        **kwargs: object,
    ) -> None:
        super().__init__(num_classes, in_channels, loss=loss, **kwargs)
        self.gamma = gamma

    def forward(self, feats: tuple[torch.Tensor, ...]) -> torch.Tensor:
        """Map B features (N, C) to the (N, K) logits of a prediction."""
        weight = self.fc.weight
        weight = weight / weight.norm(dim=1, keepdim=True) ** self.gamma
        return F.linear(self.pre_logits(feats), weight)

    def pre_logits(self, feats: tuple[torch.Tensor, ...]) -> torch.Tensor:
        """Return the (N, C) sum of the branches, which ``forward`` maps."""
        return sum(feats)

    def loss(
        self,
        feats: tuple[torch.Tensor, ...],
        data_samples: list[DataSample],
        **kwargs: object,
    ) -> dict[str, torch.Tensor]:
        """Return the loss of the branches' (N, B, K) logits."""
        logits = torch.stack([self.fc(x) for x in feats], 1)
        return self._get_loss(logits, data_samples, **kwargs)


@MODELS.register_module()
class ResLTLoss(HardLabelLoss):
    """(1 - beta) CE(sum of branches) + beta (mean CE of the branches' own).

    The first branch is taught by all images, the second by those of the
    ``medium`` share of the classes that are rarest, the third by those of the
    ``tail`` share. Source: ResLT, Cui et al. 2023 (arXiv 2101.10633), Eq. 3
    to 5, and its code for the shares.

    Args:
        num_classes: K.
        beta: In [0, 1]: 0.99 on ImageNet-LT, 0.85 on iNaturalist 2018.
        medium: Share of the classes, in [0, 1]; 825 of ImageNet-LT's 1000.
        tail: The same for the third; 220 of 1000. None where there are two
            branches, as on iNaturalist 2018.
        loss_weight: Factor on the loss.

    Raises:
        ValueError: If a number lies outside its range.
    """

    def __init__(
        self,
        num_classes: int,
        *,
        beta: float = 0.99,
        medium: float = 0.825,
        tail: float | None = 0.22,
        loss_weight: float = 1.0,
    ) -> None:
        for name, value in (('beta', beta), ('medium', medium)):
            if not 0 <= value <= 1:
                raise ValueError(f'{name} must lie in [0, 1], got {value}')
        if tail is not None and not 0 <= tail <= medium:
            raise ValueError(f'tail must lie in [0, {medium}], got {tail}')
        super().__init__(num_classes, loss_weight=loss_weight)
        self.beta = beta
        self.shares = (1.0, medium) if tail is None else (1.0, medium, tail)

    def compute_losses(
        self,
        logits: torch.Tensor,
        target: torch.Tensor,
        weight: torch.Tensor | None,
    ) -> torch.Tensor:
        """Return the (N,) losses of the images, before sample weights.

        Args:
            logits: (N, B, K) float32 logits of the branches.
            target: (N,) class indices; they choose the branches.
            weight: (N,) sample weights; None for 1.

        Raises:
            ValueError: If there are more or fewer branches than shares.
        """
        if logits.shape[1] != len(self.shares):
            raise ValueError(
                f'ResLTLoss is of {len(self.shares)} branches, got '
                f'{logits.shape[1]}; set branches of ResLTNeck'
            )
        self.check_class_counts()
        # Of equally frequent classes, the first counts as rarer.
        rank = self.class_counts.argsort(stable=True).argsort()
        places = rank[target] / len(rank)
        own = logits.new_zeros(len(logits))
        count = torch.zeros_like(own)  # branches that an image teaches
        for branch, share in enumerate(self.shares):
            taught = (places < share).to(own.dtype)
            own = own + taught * F.cross_entropy(
                logits[:, branch], target, reduction='none'
            )
            count = count + taught
        fused = F.cross_entropy(logits.sum(1), target, reduction='none')
        own = own / average(count, weight)
        return (1 - self.beta) * fused + self.beta * own

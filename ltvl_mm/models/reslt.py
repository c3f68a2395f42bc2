"""ResLT: branches for all classes, for the rarer and for the rarest."""

import torch
import torch.nn.functional as F
from mmcv.cnn import ConvModule
from mmengine.model import BaseModule
from mmpretrain.models.heads import LinearClsHead
from mmpretrain.structures import DataSample

from ltvl_mm.models.class_prior import ClassPrior
from ltvl_mm.registry import MODELS


@MODELS.register_module()
class ResLTNeck(BaseModule):
    """Map a feature map to several of its width, and pool each.

    1 x 1 convolution, BatchNorm, ReLU, then the mean over places. (Its
    authors' code pools first when it tests; here both are alike.) Source:
    ResLT, Cui et al. 2023 (arXiv 2101.10633), section 3.2.

    Args:
        in_channels: Width C of the map.
        branches: B, those of the loss: 3, on iNaturalist 2018 2.
        init_cfg: Of mmengine.

    Raises:
        ValueError: If there is no branch.
    """

    def __init__(
        self,
        in_channels: int,
        *,
        branches: int = 3,
        init_cfg: dict | None = None,
    ) -> None:
        if branches < 1:
            raise ValueError(f'branches must be >= 1, got {branches}')
        super().__init__(init_cfg)
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
        """Map the last (N, C, H, W) to B times (N, C)."""
        maps = self.expand(feats[-1])
        return maps.mean((2, 3)).chunk(self.branches, 1)


@MODELS.register_module()
class ResLTHead(LinearClsHead):
    """One linear classifier for all branches; their sum answers.

    Args:
        num_classes: K.
        in_channels: Width C of a branch.
        gamma: When it predicts, a class's weights are divided by their
            length to this power, and the bias is left out: 0.7 on
            ImageNet-LT, 0.3 on iNaturalist 2018.
        loss: ``dict(type='ltvl_mm.ResLTLoss', ...)``.
        kwargs: Of the host's LinearClsHead.
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
        """Map B times (N, C) to the (N, K) logits that answer."""
        weight = self.fc.weight
        weight = weight / weight.norm(dim=1, keepdim=True) ** self.gamma
        return F.linear(sum(feats), weight)

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
class ResLTLoss(ClassPrior):
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
        super().__init__(num_classes)
        self.beta = beta
        self.shares = (1.0, medium) if tail is None else (1.0, medium, tail)
        self.loss_weight = loss_weight

    def forward(
        self, cls_score: torch.Tensor, target: torch.Tensor, **_: object
    ) -> torch.Tensor:
        """Return the mean loss of (N, B, K) logits and (N,) classes.

        Raises:
            ValueError: If there are more or fewer branches than shares.
        """
        if cls_score.shape[1] != len(self.shares):
            raise ValueError(
                f'ResLTLoss is of {len(self.shares)} branches, got '
                f'{cls_score.shape[1]}; set branches of ResLTNeck'
            )
        self.check_class_counts()
        logits = cls_score.float()
        # Of equally frequent classes, the first counts as rarer.
        rank = self.class_counts.argsort(stable=True).argsort()
        places = rank[target] / len(rank)
        own = logits.new_zeros(())
        count = 0
        for branch, share in enumerate(self.shares):
            taught = places < share
            losses = F.cross_entropy(
                logits[:, branch], target, reduction='none'
            )
            own = own + (taught * losses).sum()
            count = count + taught.sum()
        fused = F.cross_entropy(logits.sum(1), target)
        return self.loss_weight * (
            (1 - self.beta) * fused + self.beta * own / count
        )

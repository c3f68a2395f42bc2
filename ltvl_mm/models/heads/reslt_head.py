"""ResLT's head: one linear classifier for all branches."""

import math

import torch
import torch.nn.functional as F
from mmpretrain.models.heads import LinearClsHead
from mmpretrain.structures import DataSample

from ltvl_mm.registry import MODELS


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

    Raises:
        ValueError: If ``gamma`` is negative, infinite or not a number.
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
        if not isinstance(gamma, (int, float)) or not 0 <= gamma < math.inf:
            raise ValueError(f'gamma must be a number >= 0, got {gamma!r}')
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
        """Return the loss of the branches' (N, B, K) logits.

        Args:
            feats: B features, each (N, C).
            data_samples: N samples with labels.
            kwargs: Further arguments of the loss module, as in mmpretrain's
                ClsHead.
        """
        logits = torch.stack([self.fc(x) for x in feats], 1)
        return self._get_loss(logits, data_samples, **kwargs)

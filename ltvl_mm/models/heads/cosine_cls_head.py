"""A linear classifier of directions alone."""

import torch
from mmpretrain.models.heads import LinearClsHead
from mmpretrain.models.heads.margin_head import NormProduct

from ltvl_mm.registry import MODELS


@MODELS.register_module()
class CosineClsHead(LinearClsHead):
    """z_k = scale * cos(f, w_k): no class is favored by a longer vector.

    Source: the NormedLinear of LDAM's and RIDE's code, whose scale of 30 is
    applied in the loss and in the layer.

    Args:
        num_classes: K.
        in_channels: Width F of the features.
        scale: Largest logit, > 0.
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

    def forward(self, feats: tuple[torch.Tensor, ...]) -> torch.Tensor:
        """Map the last (N, F) of ``feats`` to (N, K) logits."""
        return self.scale * self.fc(self.pre_logits(feats))

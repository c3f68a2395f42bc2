"""Cosine classifier head."""

import torch
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

    def forward(self, feats: tuple[torch.Tensor, ...]) -> torch.Tensor:
        """Map the last (N, F) of ``feats`` to (N, K) logits."""
        return self.scale * self.fc(self.pre_logits(feats))

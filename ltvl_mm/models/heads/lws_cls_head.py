"""Learnable weight scaling: how long each class's vector is."""

import torch
from mmpretrain.models.heads import LinearClsHead
from torch import nn

from ltvl_mm.registry import MODELS


@MODELS.register_module()
class LWSClsHead(LinearClsHead):
    """z_k = s_k (w_k f + b_k), of which s alone is trained, from 1.

    ``fc`` is that of a first stage: see ``DecoupledClassifier``. Source: Kang
    et al. 2020 (arXiv 1910.09217), section 4.1, and their code for the bias.

    Args:
        num_classes: K.
        in_channels: Width F of the features.
        kwargs: Further arguments of mmpretrain's LinearClsHead.
    """

    def __init__(
        self, num_classes: int, in_channels: int, **kwargs: object
    ) -> None:
        super().__init__(num_classes, in_channels, **kwargs)
        self.scales = nn.Parameter(torch.ones(num_classes))
        self.fc.requires_grad_(False)

    def forward(self, feats: tuple[torch.Tensor, ...]) -> torch.Tensor:
        """Map the last (N, F) of ``feats`` to (N, K) logits."""
        return self.fc(self.pre_logits(feats)) * self.scales

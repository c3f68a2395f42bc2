"""A backbone for inputs that are features already."""

import torch
from mmpretrain.models.backbones.base_backbone import BaseBackbone

from ltvl_mm.registry import MODELS


@MODELS.register_module()
class IdentityBackbone(BaseBackbone):
    """Hand cached features on, in place of the encoder that made them.

    Args:
        dim: Width D of the features.
        init_cfg: mmengine's way to initialize; there is nothing to.
    """

    def __init__(self, dim: int, *, init_cfg: dict | None = None) -> None:
        super().__init__(init_cfg)
        self.dim = dim

    def forward(self, features: torch.Tensor) -> tuple[torch.Tensor]:
        """Return (B, D) as ((B, D),).

        Raises:
            ValueError: If the inputs have another shape.
        """
        if features.ndim != 2 or features.shape[1] != self.dim:
            raise ValueError(
                f'IdentityBackbone expects (B, {self.dim}) features, got '
                f'inputs of shape {tuple(features.shape)}'
            )
        return (features,)

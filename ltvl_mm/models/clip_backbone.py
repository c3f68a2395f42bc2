"""The image tower of CLIP as an mmpretrain backbone."""

import torch
from mmpretrain.models.backbones.base_backbone import BaseBackbone

from ltvl_mm.models.clip import build_clip
from ltvl_mm.registry import MODELS


@MODELS.register_module()
class CLIPBackbone(BaseBackbone):
    """Visual tower of an open_clip model, its projection included.

    Source: Radford et al., Learning Transferable Visual Models From Natural
    Language Supervision, 2021; weights and architectures of open_clip.

    Args:
        arch: An open_clip architecture, e.g. ``'ViT-B-16-quickgelu'``.
        pretrained: An open_clip tag or a local file, see
            :func:`ltvl_mm.models.clip.build_clip`.
        init_cfg: mmengine's way to initialise; None keeps ``pretrained``.
    """

    def __init__(
        self,
        arch: str,
        *,
        pretrained: str | None = None,
        init_cfg: dict | None = None,
    ) -> None:
        super().__init__(init_cfg)
        self.visual = build_clip(arch, pretrained).visual

    def init_weights(self) -> None:
        """Keep the weights of ``pretrained`` unless ``init_cfg`` is given."""
        if self.init_cfg is not None:
            super().init_weights()

    def forward(self, images: torch.Tensor) -> tuple[torch.Tensor]:
        """Map (B, 3, S, S) to ((B, D),) in the joint space, not normalised."""
        return (self.visual(images),)

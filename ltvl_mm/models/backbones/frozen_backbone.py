"""Frozen backbone with small trainable parts."""

import re
from collections.abc import Callable

import torch
from mmengine.model import BaseModule
from torch import nn

from ltvl_mm.registry import MODELS


class FrozenBackbone(BaseModule):
    r"""Freeze a backbone, and change some of its parts into ones that train.

    What LIFT (Shi et al. 2024, arXiv 2309.10019) fine-tunes CLIP with on
    long-tailed data: the registered classes give it adapters, LoRA or
    prompts. mmpretrain's LoRAModel knows linear layers only, and not the
    ``in_proj_weight`` of open_clip's attention; peft needs transformers,
    beside which mmpretrain cannot be imported where pycocotools is, too.

    Args:
        backbone: Config of any backbone, with its weights, which are loaded
            here; of a ``CLIPBackbone``, not ``frozen=True``, which lets no
            gradient pass.
        targets: Regular expression of the whole names of the parts, e.g.
            ``r'visual\.transformer\.resblocks\.\d+\.mlp'``.
        change: Takes a part, and returns what stands in its place.
        init_cfg: mmengine's initialization config; None keeps the backbone's
            weights.

    Raises:
        ValueError: If no part has such a name, one cannot be changed, or the
            backbone lets no gradient pass.
    """

    def __init__(
        self,
        backbone: dict,
        targets: str,
        change: Callable[[nn.Module], nn.Module],
        init_cfg: dict | None = None,
    ) -> None:
        super().__init__(init_cfg)
        self.backbone = MODELS.build(backbone)
        if getattr(self.backbone, 'frozen', False):
            raise ValueError(
                f'frozen=True lets no gradient pass to what trains; leave it '
                f'out, {type(self).__name__} freezes the backbone'
            )
        # Now, as a checkpoint knows the parts by their names before.
        if hasattr(self.backbone, 'init_weights'):
            self.backbone.init_weights()
        self.backbone.requires_grad_(False)
        names = [name for name, _ in self.backbone.named_modules()]
        found = [name for name in names if re.fullmatch(targets, name)]
        if not found:
            raise ValueError(
                f'targets={targets!r} is the name of no part; parts are '
                f'{", ".join(names[1:20])} ...'
            )
        for name in found:
            parent, _, own = name.rpartition('.')
            part = change(self.backbone.get_submodule(name))
            setattr(self.backbone.get_submodule(parent), own, part)
        self.train()

    def init_weights(self) -> None:
        """Keep the weights unless ``init_cfg`` is given."""
        if self.init_cfg is not None:
            super().init_weights()

    def train(self, mode: bool = True) -> 'FrozenBackbone':
        """Switch the mode; what is frozen stays in evaluation."""
        super().train(mode)
        self.backbone.eval()
        return self

    def forward(self, images: torch.Tensor) -> tuple[torch.Tensor, ...]:
        """Return what the backbone makes of images, changes included."""
        return self.backbone(images)

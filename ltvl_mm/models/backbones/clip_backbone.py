"""The image tower of CLIP as an mmpretrain backbone."""

from collections.abc import Mapping

import torch
from mmpretrain.models.backbones.base_backbone import BaseBackbone
from torch.nn.modules.batchnorm import _BatchNorm

from ltvl_mm.clip.preprocessing import find_preprocessing
from ltvl_mm.clip.towers import build_clip, find_width
from ltvl_mm.registry import MODELS


@MODELS.register_module()
class CLIPBackbone(BaseBackbone):
    """Visual tower of an open_clip model.

    Source: Radford et al., Learning Transferable Visual Models From Natural
    Language Supervision, 2021; weights and architectures of open_clip.

    Args:
        arch: An open_clip architecture, e.g. ``'ViT-B-16-quickgelu'``.
        pretrained: An open_clip tag or a local file, see
            :func:`ltvl_mm.clip.towers.build_clip`.
        preprocess: Preprocessing of images, if not the one that ``pretrained``
            names it: see
            :func:`ltvl_mm.clip.preprocessing.find_preprocessing`.
            Changes nothing here; ``tools/train.py`` and ``tools/test.py``
            compare the config's ``data_preprocessor`` with it
            (:func:`ltvl_mm.apis.clip_inputs.check_clip_inputs`).
        frozen: Do not train the tower: no gradients, evaluation mode, and no
            activation kept.
        freeze_bn: Keep BatchNorm's running statistics and normalize by them
            also in training; its weights and biases do train. As in BALLAD's
            code, which never leaves evaluation mode. To train from random
            weights, set it to False.
        channels_last: Keep weights and images in memory channel by channel
            for each pixel; CPUs then train a ResNet in two thirds of the
            time. Results differ by rounding only.
        projection: False for features before the projection into the joint
            space, of width F: ViTs only, as a ResNet's attention pooling is
            its projection, too.
        init_cfg: mmengine's way to initialize; None keeps ``pretrained``.

    Raises:
        ValueError: If ``projection`` is False and the tower is not a ViT, or
            ``preprocess`` is wrong.
    """

    def __init__(
        self,
        arch: str,
        *,
        pretrained: str | None = None,
        preprocess: str | Mapping[str, object] | None = None,
        frozen: bool = False,
        freeze_bn: bool = True,
        channels_last: bool = False,
        projection: bool = True,
        init_cfg: dict | None = None,
    ) -> None:
        super().__init__(init_cfg)
        find_width(arch, projected=projection)  # raises if there is none
        if preprocess is not None:
            find_preprocessing(arch, pretrained, preprocess)  # raises
        self.visual = build_clip(arch, pretrained).visual
        if not projection:
            self.visual.proj = None
        self.memory_format = (
            torch.channels_last if channels_last else torch.preserve_format
        )
        self.visual.to(memory_format=self.memory_format)
        self.frozen = frozen
        self.freeze_bn = freeze_bn
        if frozen:
            self.visual.requires_grad_(False)
        self.train()

    def init_weights(self) -> None:
        """Keep the weights of ``pretrained`` unless ``init_cfg`` is given."""
        if self.init_cfg is not None:
            super().init_weights()

    def train(self, mode: bool = True) -> 'CLIPBackbone':
        """Switch the mode of what is not frozen."""
        super().train(mode)
        if self.frozen:
            self.visual.eval()
        elif self.freeze_bn:
            for module in self.visual.modules():
                if isinstance(module, _BatchNorm):
                    module.eval()
        return self

    def forward(self, images: torch.Tensor) -> tuple[torch.Tensor]:
        """Map (B, 3, S, S) to ((B, D or F),), not normalized."""
        with torch.set_grad_enabled(
            torch.is_grad_enabled() and not self.frozen
        ):
            images = images.to(memory_format=self.memory_format)
            return (self.visual(images),)

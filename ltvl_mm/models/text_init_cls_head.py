"""A cosine classifier that starts as CLIP's zero-shot one."""

from collections.abc import Sequence

import torch

from ltvl_mm.models.class_prototypes import describe_classes
from ltvl_mm.models.clip import build_clip, build_tokenizer, find_width
from ltvl_mm.models.cosine_cls_head import CosineClsHead
from ltvl_mm.models.text_encoder import Templates
from ltvl_mm.registry import MODELS
from ltvl_mm.structures.class_names import load_class_names


@MODELS.register_module()
class TextInitClsHead(CosineClsHead):
    """Class vectors start as the text features of the classes.

    The text tower encodes them when training starts, and is not kept.
    Source: "semantic-aware initialization" of LIFT, Shi et al. 2024 (arXiv
    2309.10019), section 4.3.

    Args:
        arch: The open_clip architecture of the backbone.
        pretrained: Its weights, tag or file.
        class_names: K names, or a file with one per line.
        templates: See ``CLIPContrastiveHead``.
        scale: Largest logit; 25 in LIFT's code.
        kwargs: Of ``CosineClsHead``, e.g. ``loss``.
    """

    def __init__(
        self,
        arch: str,
        *,
        class_names: str | Sequence[str],
        pretrained: str | None = None,
        templates: str | Templates = 'single',
        scale: float = 25.0,
        **kwargs: object,
    ) -> None:
        self._names = load_class_names(class_names)
        super().__init__(
            len(self._names), find_width(arch), scale=scale, **kwargs
        )
        self._arch = arch
        self._pretrained = pretrained
        self._templates = templates

    def init_weights(self) -> None:
        """Encode the classes."""
        tower = build_clip(self._arch, self._pretrained).text.eval()
        classes = describe_classes(
            tower, build_tokenizer(self._arch), self._names, self._templates
        )
        with torch.no_grad():
            self.fc.weight.copy_(classes.recall())

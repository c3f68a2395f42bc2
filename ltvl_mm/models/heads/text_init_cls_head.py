"""A cosine classifier that starts as CLIP's zero-shot one."""

from collections.abc import Sequence

import torch
import torch.nn.functional as F

from ltvl_mm.clip.class_prototypes import describe_classes
from ltvl_mm.clip.templates import find_templates
from ltvl_mm.clip.tokenization import Templates, tokenize_classes
from ltvl_mm.clip.towers import build_clip, build_tokenizer, find_width
from ltvl_mm.models.heads.cosine_cls_head import CosineClsHead
from ltvl_mm.registry import MODELS
from ltvl_mm.structures.class_names import load_class_names


@MODELS.register_module()
class TextInitClsHead(CosineClsHead):
    """Class vectors start as the text features of the classes.

    The text tower encodes them when training starts, and is not kept.
    Source: "semantic-aware initialization" of LIFT, Shi et al. 2024 (arXiv
    2309.10019), section 4.3.

    With its projection, a tower and this head start as the zero-shot
    classifier, exactly. Without, as LIFT's code has a ViT, class k starts as
    P t_k for its text t_k and the projection P^T of features f. As f . P t_k
    = P^T f . t_k, these are the zero-shot logits up to one factor per image,
    and one per class, 1 / |P t_k|: nearly the same order, but not exactly.

    Args:
        arch: The open_clip architecture of the backbone.
        pretrained: Its weights, tag or file.
        class_names: K names, or a file with one per line.
        templates: Templates of prompts; see ``CLIPContrastiveHead``.
        scale: Largest logit; 25 in LIFT's code.
        projection: ``projection`` of the ``CLIPBackbone``: False for its
            features before the projection, ViTs only.
        kwargs: Further arguments of mmpretrain's LinearClsHead, e.g.
            ``loss``.

    Raises:
        ValueError: If the image tower is not a ViT and must have no
            projection, the tokenizer or the templates are missing, or a class
            name is too long for the text tower.
    """

    def __init__(
        self,
        arch: str,
        *,
        class_names: str | Sequence[str],
        pretrained: str | None = None,
        templates: str | Templates = 'single',
        scale: float = 25.0,
        projection: bool = True,
        **kwargs: object,
    ) -> None:
        self._names = load_class_names(class_names)
        width = find_width(arch, projected=projection)
        # Texts are encoded when training starts, after the data sets are
        # read. A missing tokenizer or a name that is too long shows now.
        tokenize_classes(
            self._names, find_templates(templates), build_tokenizer(arch)
        )
        super().__init__(len(self._names), width, scale=scale, **kwargs)
        self._projection = projection
        self._arch = arch
        self._pretrained = pretrained
        self._templates = templates

    def init_weights(self) -> None:
        """Encode the classes."""
        clip = build_clip(self._arch, self._pretrained).eval()
        texts = describe_classes(
            clip.text,
            build_tokenizer(self._arch),
            self._names,
            self._templates,
        ).recall()
        with torch.no_grad():
            if not self._projection:
                texts = F.normalize(texts @ clip.visual.proj.T, dim=1)
            self.fc.weight.copy_(texts)

"""A head with CLIP's text tower inside."""

from collections.abc import Sequence

import torch
import torch.nn.functional as F
from mmpretrain.models.heads import ClsHead
from mmpretrain.structures import DataSample

from ltvl_mm.models.clip import build_clip, build_tokenizer, find_templates
from ltvl_mm.models.contrastive_loss import (
    compute_contrastive_loss,
    gather_with_gradient,
)
from ltvl_mm.models.text_encoder import encode_classes
from ltvl_mm.registry import MODELS
from ltvl_mm.structures.class_names import load_class_names


@MODELS.register_module()
class CLIPContrastiveHead(ClsHead):
    """Match image features with the features of texts.

    Trained on image-caption pairs (data samples with a ``caption``) by the
    multi-positive loss of BALLAD, section 2.1, over the batch of all
    processes; pairs with the same caption are positives of each other.
    Predicts by cosine to the averaged prompts of ``class_names``.

    Args:
        arch: The open_clip architecture that the backbone has, too.
        pretrained: Tag or file, as the backbone's.
        class_names: K names, or a file with one per line; needed to predict.
        templates: ``'single'``, ``'openai_80'``, a file with one sentence per
            line, or sentences; each with ``{}`` for the name.
        init_cfg: mmengine's way to initialise; None keeps ``pretrained``.
    """

    def __init__(
        self,
        arch: str,
        *,
        pretrained: str | None = None,
        class_names: str | Sequence[str] | None = None,
        templates: str | Sequence[str] = 'single',
        init_cfg: dict | None = None,
    ) -> None:
        super().__init__(init_cfg=init_cfg)
        clip = build_clip(arch, pretrained)
        self.text = clip.text
        self.logit_scale = clip.logit_scale
        self.class_names = (
            None if class_names is None else load_class_names(class_names)
        )
        self.templates = find_templates(templates)
        self._tokenize = build_tokenizer(arch)
        self._prototypes: tuple[tuple, torch.Tensor] | None = None

    def init_weights(self) -> None:
        """Keep the weights of ``pretrained`` unless ``init_cfg`` is given."""
        if self.init_cfg is not None:
            super().init_weights()

    def train(self, mode: bool = True) -> 'CLIPContrastiveHead':
        """Switch the mode and forget the prototypes.

        Hooks such as EMAHook write weights through ``.data``, unseen by
        version counters, always before the loop calls ``eval()``.
        """
        self._prototypes = None
        return super().train(mode)

    def forward(self, feats: tuple[torch.Tensor, ...]) -> torch.Tensor:
        """Map ((B, D),) to (B, K) logits: scaled cosines to the classes."""
        images = F.normalize(feats[-1], dim=-1)
        return self._scale() * images @ self.prototypes().t()

    def loss(
        self,
        feats: tuple[torch.Tensor, ...],
        data_samples: list[DataSample],
        **kwargs: object,
    ) -> dict[str, torch.Tensor]:
        """Return the loss of ((B, D),) features and their captions."""
        captions = [_read_caption(sample) for sample in data_samples]
        tokens = self._tokenize(captions).to(feats[-1].device)
        unique, place = torch.unique(tokens, dim=0, return_inverse=True)
        texts = F.normalize(self.text(unique), dim=-1)[place]  # (B, D)
        images = F.normalize(feats[-1], dim=-1)
        _, groups = torch.unique(
            gather_with_gradient(tokens), dim=0, return_inverse=True
        )
        return {
            'loss': compute_contrastive_loss(
                gather_with_gradient(images),
                gather_with_gradient(texts),
                groups,
                self._scale(),
            )
        }

    def prototypes(self) -> torch.Tensor:
        """Return the (K, D) L2-normalised class features.

        Kept only while evaluating: any change of mode, or of a weight of the
        text tower that its version counter shows, has them computed anew.

        Raises:
            ValueError: If the head was built without class names.
        """
        if self.class_names is None:
            raise ValueError(
                'CLIPContrastiveHead cannot predict without class_names'
            )
        if self.training:
            return encode_classes(
                self.class_names, self.templates, self._encode
            )
        state = tuple(
            (weight._version, weight.device, weight.dtype)
            for weight in self.text.parameters()
        )
        if self._prototypes is None or self._prototypes[0] != state:
            with torch.no_grad():
                self._prototypes = (
                    state,
                    encode_classes(
                        self.class_names, self.templates, self._encode
                    ),
                )
        return self._prototypes[1]

    def _encode(self, texts: Sequence[str]) -> torch.Tensor:
        # A method: a closure over the tower would outlive a copy of the head.
        tokens = self._tokenize(list(texts))
        return self.text(tokens.to(self.logit_scale.device))

    def _scale(self) -> torch.Tensor:
        # At most 100, as in CLIP's training: larger was unstable there.
        return self.logit_scale.exp().clamp(max=100)


def _read_caption(sample: DataSample) -> str:
    if 'caption' not in sample:
        raise ValueError(
            'CLIPContrastiveHead trains on captions, but a sample has none; '
            "let PackInputs keep it: meta_keys=('caption', ...)"
        )
    return sample.caption

"""Features of classes by a text tower that may be training."""

from collections.abc import Sequence

import torch
from torch import nn

from ltvl_mm.clip.templates import find_templates
from ltvl_mm.clip.text_encoder import TEXTS_AT_A_TIME, encode_classes
from ltvl_mm.clip.tokenization import Templates, Tokenizer, tokenize_classes
from ltvl_mm.structures.class_names import load_class_names


def describe_classes(
    tower: nn.Module,
    tokenizer: Tokenizer,
    class_names: str | Sequence[str],
    templates: str | Templates,
    *,
    chunk_size: int | None = None,
) -> 'ClassPrototypes':
    """Return classes by their names; nothing is encoded yet.

    Args:
        tower: Text tower of an open_clip model; not copied.
        tokenizer: Tokenizer; see :func:`ltvl_mm.clip.towers.build_tokenizer`.
        class_names: K names, or a file with one per line.
        templates: Templates of prompts; see
            :func:`ltvl_mm.clip.templates.find_templates`.
        chunk_size: Number of prompts per batch; see :class:`ClassPrototypes`.

    Raises:
        ValueError: As :func:`ltvl_mm.clip.tokenization.tokenize_classes`.
    """
    names = load_class_names(class_names)
    return ClassPrototypes(
        tower,
        tokenize_classes(names, find_templates(templates), tokenizer),
        names=names,
        chunk_size=chunk_size,
    )


class ClassPrototypes:
    """Averaged, L2-normalized prompts of K classes; never stale.

    Args:
        tower: Text tower of an open_clip model; not copied.
        tokens: (K, P, L) of
            :func:`ltvl_mm.clip.tokenization.tokenize_classes`.
        chunk_size: Number of prompts per batch when gradients are computed;
            see :func:`ltvl_mm.clip.text_encoder.encode_tokens`.
        names: K class names.
    """

    def __init__(
        self,
        tower: nn.Module,
        tokens: torch.Tensor,
        *,
        chunk_size: int | None = None,
        names: Sequence[str] = (),
    ) -> None:
        self.names = tuple(names)
        self.tower = tower
        self.tokens = tokens
        self.chunk_size = chunk_size
        self._kept: tuple[list, torch.Tensor, tuple] | None = None

    def encode(self, labels: torch.Tensor | None = None) -> torch.Tensor:
        """Return (K, D), or (B, D) for (B,) ``labels``, with gradients.

        A class that occurs several times is encoded once.
        """
        if labels is None:
            return self._encode(self.tokens)
        unique, place = torch.unique(labels.cpu(), return_inverse=True)
        features = self._encode(self.tokens[unique])
        return features[place.to(features.device)]

    def recall(self) -> torch.Tensor:
        """Return (K, D) without gradients, encoded when a weight changed."""
        weights = tuple(self.tower.parameters())
        state = [(id(w), w._version, w.device, w.dtype) for w in weights]
        if self._kept is None or self._kept[0] != state:
            prototypes = self._encode_once(weights[0].device)
            # With the weights, so that no new one gets the id of an old one.
            self._kept = (state, prototypes, weights)
        return self._kept[1]

    def forget(self) -> None:
        """Drop what is kept, for changes that no version counter sees."""
        self._kept = None

    def _encode(self, tokens: torch.Tensor) -> torch.Tensor:
        return encode_classes(self.tower, tokens, chunk_size=self.chunk_size)

    def _encode_once(self, device: torch.device) -> torch.Tensor:
        # Encoded once and used often, hence in full precision; and no
        # inference tensor, which no later training step could use.
        with (
            torch.inference_mode(False),
            torch.no_grad(),
            torch.autocast(device.type, enabled=False),
        ):
            return encode_classes(
                self.tower, self.tokens, chunk_size=TEXTS_AT_A_TIME
            )

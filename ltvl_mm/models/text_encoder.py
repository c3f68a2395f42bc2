"""Texts and class names to features of the joint space."""

from collections.abc import Callable, Sequence

import torch
import torch.nn.functional as F
from torch import nn

from ltvl_mm.models.clip import build_tokenizer


def build_text_encoder(
    tower: nn.Module, arch: str
) -> Callable[[Sequence[str]], torch.Tensor]:
    """Return texts -> (n, D) features of ``tower``, not normalised."""
    tokenize = build_tokenizer(arch)

    def encode(texts: Sequence[str]) -> torch.Tensor:
        device = next(tower.parameters()).device
        return tower(tokenize(list(texts)).to(device))

    return encode


def encode_classes(
    class_names: Sequence[str],
    templates: Sequence[str],
    encode: Callable[[Sequence[str]], torch.Tensor],
    *,
    batch_size: int = 256,
) -> torch.Tensor:
    """Average the prompts of each class, as CLIP's prompt ensemble does.

    Each prompt's feature is L2-normalised, then the mean over the templates
    is. Source: Radford et al. 2021, section 3.1.4.

    Args:
        class_names: K names; may repeat.
        templates: Sentences with one ``{}`` for the name.
        encode: texts -> (n, D).
        batch_size: Texts encoded at a time.

    Returns:
        (K, D) L2-normalised.

    Raises:
        ValueError: If there is no template, or one lacks ``{}``.
    """
    wrong = [template for template in templates if '{}' not in template]
    if wrong or not templates:
        raise ValueError(
            f'templates must be sentences with a {{}} for the class name, '
            f'got {wrong or list(templates)}'
        )
    prompts = [
        template.replace('{}', name)
        for name in class_names
        for template in templates
    ]
    features = torch.cat(
        [
            F.normalize(encode(prompts[start : start + batch_size]), dim=-1)
            for start in range(0, len(prompts), batch_size)
        ]
    )
    features = features.unflatten(0, (-1, len(templates)))  # (K, P, D)
    return F.normalize(features.mean(1), dim=-1)

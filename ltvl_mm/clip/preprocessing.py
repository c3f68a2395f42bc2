"""Preprocessing of images as open_clip's weights were trained with it."""

import json
from collections.abc import Callable, Mapping
from dataclasses import asdict
from numbers import Real
from typing import Any

import open_clip
import torch
from mmengine.logging import print_log
from open_clip.transform import (
    PreprocessCfg as PreprocessCfg,
)
from open_clip.transform import (
    ResizeKeepRatio,
    image_transform_v2,
    merge_preprocess_dict,
)
from PIL import Image

from ltvl_mm.clip.sources import (
    find_own_preprocessing,
    has_own_weights,
)
from ltvl_mm.clip.towers import find_arch
from ltvl_mm.clip.weight_files import list_shipped_tags
from ltvl_mm.structures.encoder_identity import describe_preprocessing

# The values that each key of an override may have.
_CHOICES = {
    'resize_mode': ('shortest', 'longest', 'squash'),
    'interpolation': ('bicubic', 'bilinear'),
}
_KEYS = ('mean', 'std', 'fill_color', *_CHOICES)


def find_preprocessing(
    arch: str,
    pretrained: str | None,
    preprocess: str | Mapping[str, object] | None = None,
) -> PreprocessCfg:
    """Return mean, std, size, resize mode and interpolation of weights.

    A tag has those that open_clip lists for it, as
    ``open_clip.create_model_and_transforms`` uses them, and a
    ``local-dir:`` or ``hf-hub:`` name those of its config. A local file, or
    random weights, have those of the architecture's tags if these agree (all
    tags of a SigLIP do), and otherwise OpenAI's, which is logged.

    Args:
        arch: An open_clip architecture; it gives the size.
        pretrained: A tag of open_clip, a local file, or None.
        preprocess: Replacement for these values: a tag of ``arch``, or some of
            ``mean``, ``std`` (for pixels in [0, 1]), ``resize_mode``
            (``'shortest'``, ``'longest'``, ``'squash'``), ``interpolation``
            (``'bicubic'``, ``'bilinear'``) and ``fill_color``, as a dict or
            as JSON text. None replaces nothing.

    Raises:
        ValueError: If ``arch`` or ``preprocess`` is unknown or wrong.
    """
    size = find_arch(arch)['vision_cfg']['image_size']
    overlay = _read_override(arch, preprocess)
    values = asdict(PreprocessCfg())
    if pretrained in open_clip.list_pretrained_tags_by_model(arch):
        tag = open_clip.get_pretrained_cfg(arch, pretrained)
        values = merge_preprocess_dict(values, tag)
    elif has_own_weights(arch):
        own = find_own_preprocessing(arch)
        own = {key: own[key] for key in _KEYS if key in own}
        values = merge_preprocess_dict(values, _check_values(own))
    # Shipped weights were trained with OpenAI's values.
    elif pretrained not in list_shipped_tags(arch):
        values = _find_default(arch, pretrained, values, given=set(overlay))
    values = merge_preprocess_dict(values, overlay)
    return PreprocessCfg(**values | {'size': size})


def build_image_transform(
    preprocessing: PreprocessCfg,
) -> Callable[[Image.Image], torch.Tensor]:
    """Return open_clip's test transform: image -> normalized (3, S, S)."""
    return image_transform_v2(preprocessing, is_train=False)


def find_resized_size(
    preprocessing: PreprocessCfg, image: Image.Image
) -> tuple[int, int]:
    """Return height and width that open_clip resizes an image to.

    Args:
        preprocessing: Size and resize mode.
        image: The image, before it is resized; what is outside of the size
            is cropped, and what is missing is padded.
    """
    size, mode = preprocessing.size, preprocessing.resize_mode
    target = (size, size) if isinstance(size, int) else tuple(size)
    if mode == 'squash':
        return target
    if mode == 'shortest' and target[0] == target[1]:
        # torchvision's Resize rounds down, open_clip's to the nearest.
        side, short = target[0], min(image.size)
        return int(side * image.height / short), int(
            side * image.width / short
        )
    longest = 1.0 if mode == 'longest' else 0.0
    height, width = ResizeKeepRatio.get_params(image, target, longest)
    # A line may be rounded to nothing, which open_clip refuses.
    return max(height, 1), max(width, 1)


def name_preprocessing(preprocessing: PreprocessCfg) -> str:
    """Return the preprocessing as a sentence for an encoder's identity."""
    values = asdict(preprocessing)
    del values['mode']  # always RGB
    return describe_preprocessing(**values)


def _find_default(
    arch: str,
    pretrained: str | None,
    values: dict[str, object],
    *,
    given: set[str],
) -> dict[str, object]:
    """Return the values of all tags of ``arch``, or OpenAI's.

    Those that are not ``given`` otherwise are logged.
    """
    found: dict[str, dict[str, object]] = {}
    tags = open_clip.list_pretrained_tags_by_model(arch)
    for tag in tags:
        config = open_clip.get_pretrained_cfg(arch, tag)
        merged = merge_preprocess_dict(values, config)
        found.setdefault(json.dumps(merged), merged)
    if len(found) == 1:
        values = next(iter(found.values()))
    assumed = [
        f'{key} {values[key]}'
        for key in ('mean', 'std', *_CHOICES)
        if key not in given
    ]
    if pretrained is not None and assumed:
        source = (
            f'all tags of {arch}'
            if len(found) == 1
            else f'OpenAI (the tags of {arch} differ: {", ".join(tags)})'
            if found
            else f'OpenAI ({arch} has no tags)'
        )
        print_log(
            f'{pretrained} does not name its preprocessing; using that of '
            f'{source}: {", ".join(assumed)}. If it was trained otherwise, '
            f'give preprocess= (--preprocess): a tag or these values',
            'current',
        )
    return values


def _read_override(
    arch: str, preprocess: str | Mapping[str, object] | None
) -> dict[str, object]:
    if preprocess is None:
        return {}
    tags = open_clip.list_pretrained_tags_by_model(arch)
    if preprocess in tags:
        return open_clip.get_pretrained_cfg(arch, preprocess)
    values: Any = preprocess
    if isinstance(preprocess, str):
        try:
            values = json.loads(preprocess)
        except json.JSONDecodeError:
            values = {preprocess: None}
    if not isinstance(values, Mapping):
        values = {str(values): None}
    unknown = [key for key in values if key not in _KEYS]
    if unknown:
        raise ValueError(
            f'preprocess has {unknown[0]!r}; expected a tag of {arch} '
            f'({", ".join(tags) or "it has none"}) or values of '
            f'{", ".join(_KEYS)}, such as '
            f'{{"mean": [0.5, 0.5, 0.5], "std": [0.5, 0.5, 0.5]}}; the size '
            f"is the architecture's"
        )
    return _check_values(values)


def _check_values(values: Mapping[str, Any]) -> dict[str, object]:
    for key, value in values.items():
        _check_value(key, value)
    return {
        key: tuple(value) if key in ('mean', 'std') else value
        for key, value in values.items()
    }


def _check_value(key: str, value: object) -> None:
    if key in _CHOICES:
        fits = value in _CHOICES[key]
        expected = f'one of {", ".join(_CHOICES[key])}'
    elif key == 'fill_color':
        fits = isinstance(value, int) and 0 <= value <= 255
        expected = 'a whole number from 0 to 255'
    else:
        fits = (
            isinstance(value, (list, tuple))
            and len(value) == 3
            and all(isinstance(v, Real) and 0 <= float(v) <= 1 for v in value)
            and (key == 'mean' or min(value) > 0)
        )
        expected = 'three numbers in [0, 1], of red, green and blue' + (
            ', above 0' if key == 'std' else ''
        )
    if not fits:
        raise ValueError(
            f'{key} of preprocess must be {expected}; got {value!r}'
        )

"""Check the CLIP of a run against its stores, before anything is written."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from ltvl_mm.apis.tackle_run.settings import RunSettings
from ltvl_mm.clip.frozen_clip import FrozenCLIP
from ltvl_mm.clip.preprocessing import find_preprocessing
from ltvl_mm.clip.sources import has_own_weights, name_arch
from ltvl_mm.clip.towers import check_tag
from ltvl_mm.clip.weight_files import list_shipped_tags
from ltvl_mm.structures.store_reader import open_store

if TYPE_CHECKING:
    from ltvl_mm.clip.preprocessing import PreprocessCfg


def check_clip(
    settings: RunSettings, stores: Sequence[Path]
) -> 'PreprocessCfg':
    """Return CLIP's preprocessing; build it if its weights are here.

    Raises:
        ValueError: If it cannot be built, or a store has another encoder.
    """
    arch, pretrained = settings.arch, settings.pretrained
    encoder = {'arch': name_arch(arch)}
    if is_here(arch, pretrained):
        clip = FrozenCLIP(
            arch, pretrained, preprocess=settings.preprocess, device='cpu'
        )
        encoder, preprocessing = clip.identity, clip.preprocessing
    else:
        if pretrained is not None and not has_own_weights(arch):
            check_tag(arch, pretrained)
        preprocessing = find_preprocessing(
            arch, pretrained, settings.preprocess
        )
    if preprocessing.resize_mode == 'longest':
        raise ValueError(
            f'{settings.clip} pads images, which mmpretrain does not; use '
            f'another CLIP'
        )
    for store in stores:
        other = open_store(store).encoder
        for name, value in encoder.items():
            if other.get(name) != value and name != 'preprocessing':
                raise ValueError(
                    f'the store {store} was embedded by another CLIP: {name} '
                    f'is {other.get(name)!r} there and {value!r} of '
                    f'{settings.clip}; give its CLIP as --clip, or the '
                    f'images themselves as --web'
                )
    return preprocessing


def is_here(arch: str, pretrained: str | None) -> bool:
    """Return whether CLIP's weights are on this machine for sure."""
    if has_own_weights(arch):
        return not arch.startswith('hf-hub:')
    return Path(str(pretrained)).exists() or pretrained in list_shipped_tags(
        arch
    )

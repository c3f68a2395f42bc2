"""CLIP models that open_clip does not list: files, folders and the hub."""

import gzip
import json
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

import open_clip
from open_clip.factory import parse_model_name
from open_clip.pretrained import download_pretrained_from_hf

from ltvl_mm.clip.weight_files import list_shipped_tags
from ltvl_mm.utils.io import read_json
from ltvl_mm.utils.regular_files import open_regular

_CONFIG = 'open_clip_config.json'
_REQUIRED = ('embed_dim', 'vision_cfg', 'text_cfg')
# What a config may set of its tokenizer. 'trust_remote_code' would run code
# that lies beside the tokenizer.
_TOKENIZER_OPTIONS = (
    'additional_special_tokens',
    'bpe_path',
    'clean',
    'language',
    'reduction_mask',
    'strip_sep_token',
)
_MAX_MERGES_BYTES = 64 << 20
# In the order of preference of open_clip's own loader.
_WEIGHTS = (
    'open_clip_model.safetensors',
    'open_clip_pytorch_model.safetensors',
    'open_clip_pytorch_model.bin',
    'open_clip_pytorch_model.pth',
)
T = TypeVar('T')


def register_arch(arch: str) -> str:
    """Return the open_clip name of an architecture.

    A config file is registered in open_clip under its file name. Other names
    are returned unchanged; hub configs are checked.

    Args:
        arch: An open_clip architecture; an open_clip model config
            (``my_clip.json``); ``'local-dir:FOLDER'``, a folder that
            open_clip's ``push_to_hf_hub`` or a download wrote; or
            ``'hf-hub:NAME'``, a repository of the Hugging Face hub.

    Raises:
        ValueError: If the file or folder does not exist, is not a config, or
            has the name of another architecture.
    """
    if has_own_weights(arch):
        _read_hub_config(arch)
        return arch
    if not arch.endswith('.json'):
        return arch
    path = Path(arch)
    if not path.is_file():
        raise ValueError(f'there is no model config {path}')
    config = read_json(path)
    _check_config(config, path)
    known = open_clip.get_model_config(path.stem)
    if known is None:
        open_clip.add_model_config(path)
    elif known != config:
        raise ValueError(
            f'{path} differs from the architecture {path.stem!r} that is '
            f'known already; give the file another name'
        )
    return path.stem


def name_arch(arch: str) -> str:
    """Return an architecture without the folders of this computer."""
    if arch.endswith('.json'):
        return Path(arch).stem
    scheme, place = parse_model_name(arch)
    if scheme == 'local-dir':
        return f'local-dir:{Path(place).resolve().name}'
    return arch


def has_own_weights(arch: str) -> bool:
    """Return whether a name includes weights and preprocessing."""
    return parse_model_name(arch)[0] is not None


def find_own_weights(arch: str) -> str:
    """Return the file of weights of a folder, or of the hub (downloads).

    Args:
        arch: A name for which :func:`has_own_weights` is true.

    Raises:
        ValueError: If there is none.
    """
    scheme, place = parse_model_name(arch)
    if scheme == 'hf-hub':
        return _fetch(arch, lambda: download_pretrained_from_hf(place))
    for name in _WEIGHTS:
        if (Path(place) / name).is_file():
            return str(Path(place) / name)
    raise ValueError(
        f'{place} holds no weights; expected one of {", ".join(_WEIGHTS)}'
    )


def find_own_preprocessing(arch: str) -> dict[str, object]:
    """Return ``preprocess_cfg`` of a folder's or the hub's config.

    Args:
        arch: A name for which :func:`has_own_weights` is true.
    """
    return _read_hub_config(arch).get('preprocess_cfg', {})


def find_default_weights(arch: str) -> str | None:
    """Return ``'openai'``, or None for a name that holds its weights.

    Raises:
        ValueError: If OpenAI published no weights of ``arch``.
    """
    if has_own_weights(arch):
        return None
    tags = open_clip.list_pretrained_tags_by_model(arch)
    if 'openai' not in tags:
        tags += list_shipped_tags(arch)
        raise ValueError(
            f'OpenAI published no weights of {arch}; give pretrained= '
            f'(--pretrained): a file, or a tag ('
            f'{", ".join(tags) or "it has none"})'
        )
    return 'openai'


def check_merges(path: str) -> None:
    """Refuse a vocabulary (``bpe_path``) that open_clip should not open.

    Raises:
        ValueError: If it is not a regular file or gzip, or unpacks to more
            than 64 MiB; CLIP's own has 3.
    """
    try:
        with open_regular(path) as file, gzip.open(file) as text:
            size = len(text.read(_MAX_MERGES_BYTES + 1))
    except (OSError, EOFError, zlib.error) as error:
        raise ValueError(f'bpe_path {path!r}: {error}') from None
    if size > _MAX_MERGES_BYTES:
        raise ValueError(
            f'bpe_path {path!r} unpacks to more than '
            f'{_MAX_MERGES_BYTES >> 20} MiB; expected merges of words'
        )


def _read_hub_config(arch: str) -> dict:
    scheme, place = parse_model_name(arch)
    if scheme == 'hf-hub':
        path = _fetch(
            arch, lambda: download_pretrained_from_hf(place, filename=_CONFIG)
        )
    else:
        path = Path(place) / _CONFIG
        if not path.is_file():
            raise ValueError(
                f'there is no {path}; {arch!r} must name a folder with '
                f'{_CONFIG} and weights, as open_clip pushes them to the '
                f'hub (a store records the name of the folder alone: give '
                f'its path as arch=, --arch)'
            )
    config = read_json(path)
    if not isinstance(config, dict) or 'model_cfg' not in config:
        raise ValueError(f'{path} has no "model_cfg"')
    _check_config(config['model_cfg'], path)
    return config


def _check_config(config: object, path: str | Path) -> None:
    found = config if isinstance(config, dict) else {}
    missing = [key for key in _REQUIRED if key not in found]
    if missing:
        raise ValueError(
            f'{path} is not a model config of open_clip: it has no '
            f'{json.dumps(missing[0])}; expected {", ".join(_REQUIRED)}'
        )
    for key in _REQUIRED[1:]:
        if not isinstance(found[key], dict):
            raise ValueError(
                f'{path}: {key} must be an object, got {found[key]!r:.80}'
            )
    _check_tokenizer(found['text_cfg'].get('tokenizer_kwargs', {}), path)


def _check_tokenizer(options: object, path: str | Path) -> None:
    if not isinstance(options, dict):
        raise ValueError(
            f'{path}: tokenizer_kwargs must be an object, got {options!r:.80}'
        )
    for name in options:
        if name not in _TOKENIZER_OPTIONS:
            raise ValueError(
                f'{path}: tokenizer_kwargs has {name!r:.80}; expected some of '
                f'{", ".join(_TOKENIZER_OPTIONS)}. The code of a tokenizer is '
                f'never run'
            )


def _fetch(arch: str, download: Callable[[], T]) -> T:
    try:
        return download()
    # huggingface_hub raises many kinds without network.
    except Exception as error:
        reason = ' '.join(str(error).split())
        raise ValueError(
            f'{arch} could not be fetched from huggingface.co. Without '
            f'network access, run `hf download '
            f'{parse_model_name(arch)[1]} --local-dir FOLDER` elsewhere and '
            f"give 'local-dir:FOLDER'. ({type(error).__name__}: {reason:.300})"
        ) from error

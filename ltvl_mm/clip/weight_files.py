"""State dicts of CLIP from files, as data, and those that are shipped."""

from pathlib import Path

import torch

from ltvl_mm.utils.checkpoints import read_weights
from ltvl_mm.utils.io import hash_file, read_json

_FOLDER = Path(__file__).parent / 'weights'
# OpenAI's archives store these numbers as buffers.
_NOT_WEIGHTS = ('input_resolution', 'context_length', 'vocab_size')


def read_clip_state(path: str) -> dict[str, torch.Tensor]:
    """Return the weights of a CLIP model.

    Args:
        path: A state dict of open_clip (``.pt`` or ``.safetensors``), an
            archive of OpenAI, or a checkpoint of ours.

    Raises:
        ValueError: If it holds none; see
            :func:`ltvl_mm.utils.checkpoints.read_checkpoint`.
    """
    state = read_weights(path)
    if all(name.startswith('module.') for name in state):
        state = {name.removeprefix('module.'): state[name] for name in state}
    return {
        name: tensor
        for name, tensor in state.items()
        if name not in _NOT_WEIGHTS
    }


def list_shipped_tags(arch: str) -> list[str]:
    """Return the tags of an architecture whose weights this package holds."""
    return sorted(_read_shipped().get(arch, {}))


def find_shipped_weights(arch: str, tag: str) -> str:
    """Return the file of shipped weights after checking its hash.

    Args:
        arch: An architecture such as ``'ltvl-toy'``.
        tag: One of :func:`list_shipped_tags`.

    Raises:
        ValueError: If the file is missing or has another hash.
    """
    expected = _read_shipped()[arch][tag]
    path = _FOLDER / expected['file']
    if not path.is_file():
        raise ValueError(
            f'the weights {tag!r} of {arch} are missing ({path}); install '
            f'ltvl_mm again'
        )
    found = hash_file(path)
    if found != expected['sha256']:
        raise ValueError(
            f'{path} has the sha256 {found}, expected {expected["sha256"]}: '
            f'it is broken or was replaced; install ltvl_mm again, or give '
            f'a file of your own as pretrained='
        )
    return str(path)


def _read_shipped() -> dict[str, dict[str, dict[str, str]]]:
    """Return architecture -> tag -> file and sha256."""
    return read_json(_FOLDER / 'index.json')

"""State dicts of CLIP from files, as data."""

import torch

from ltvl_mm.utils.checkpoints import read_weights

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

"""Which file of a training folder holds the model, and its weights."""

from pathlib import Path

import torch

from ltvl_mm.utils.compat import allow_host_checkpoints


def find_checkpoint(path: str | Path) -> str:
    """Return a checkpoint file, or the one to test of a training folder.

    Args:
        path: A file or address, returned as it is; or a folder: its best
            checkpoint (``CheckpointHook(save_best=...)``), else the last.

    Raises:
        ValueError: If a folder holds none, or several best ones.
    """
    folder = Path(path)
    if not folder.is_dir():
        return str(path)
    best = sorted(folder.glob('best_*.pth'))
    if len(best) > 1:
        raise ValueError(
            f'{folder} holds several best checkpoints, name one: '
            f'{", ".join(file.name for file in best)}'
        )
    if best:
        return str(best[0])
    last = folder / 'last_checkpoint'
    if not last.exists():
        raise ValueError(f'{folder} holds no checkpoint; train first')
    # The folder may have been moved since.
    return str(folder / Path(last.read_text().strip()).name)


def read_weights(path: str | Path) -> dict[str, torch.Tensor]:
    """Return the state dict of a checkpoint, or of a training folder's.

    Raises:
        ValueError: If there is none.
    """
    file = find_checkpoint(path)
    allow_host_checkpoints()
    try:
        state = torch.load(file, map_location='cpu', weights_only=True)
    except FileNotFoundError:
        raise ValueError(
            f'the checkpoint {file} does not exist; train it first, or say '
            f'where it is'
        ) from None
    return state.get('state_dict', state)

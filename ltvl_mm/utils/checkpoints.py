"""Which file of a training folder holds the model."""

from pathlib import Path


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

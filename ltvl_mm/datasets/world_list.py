"""Labeled lists of a drawn world on disk, as a data set."""

from collections.abc import Sequence
from pathlib import Path

from mmpretrain.datasets import CustomDataset

SPLITS = ('train', 'val', 'test', 'open')


class WorldList(CustomDataset):
    """Base of the data sets that read a split of a drawn world.

    Args:
        data_root: Folder of the world.
        split: ``'train'`` (long-tailed), ``'val'`` or ``'test'``
            (balanced), or ``'open'`` (of none of the classes, label -1).
        pipeline: Transforms.
        kwargs: Further arguments of mmpretrain's CustomDataset.

    Raises:
        ValueError: If the split is unknown or not on the disk.
    """

    # Name of the world, and the command that writes it; set by subclasses.
    title = ''
    made_by = ''

    def __init__(
        self,
        data_root: str,
        *,
        split: str,
        pipeline: Sequence[dict] = (),
        **kwargs: object,
    ) -> None:
        if split not in SPLITS:
            raise ValueError(f'split must be one of {SPLITS}, got {split!r}')
        root = Path(data_root)
        names = root / 'class_names.txt'
        if not (root / f'{split}.txt').is_file() or not names.is_file():
            raise ValueError(
                f'there is no {self.title} in {data_root}; make it with: '
                f'python {self.made_by} {data_root}'
            )
        super().__init__(
            data_root=data_root,
            ann_file=f'{split}.txt',
            classes=names.read_text('utf-8').splitlines(),
            pipeline=pipeline,
            **kwargs,
        )

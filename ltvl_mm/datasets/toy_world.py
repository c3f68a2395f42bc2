"""The toy world's labelled lists as a registered data set."""

from collections.abc import Sequence
from pathlib import Path

from mmpretrain.datasets import CustomDataset

from ltvl_mm.datasets.toy_drawing import CLASS_NAMES
from ltvl_mm.registry import DATASETS

SPLITS = ('train', 'val', 'test', 'open')


@DATASETS.register_module()
class ToyWorld(CustomDataset):
    """A split of a toy world that ``make_toy_world.py`` has written.

    Args:
        data_root: The world's folder.
        split: ``'train'`` (long-tailed), ``'val'`` or ``'test'``
            (balanced), or ``'open'`` (of none of the classes, label -1).
        pipeline: Transforms.
        kwargs: Further arguments of the host's CustomDataset.

    Raises:
        ValueError: If the split is unknown or not on the disk.
    """

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
        if not (Path(data_root) / f'{split}.txt').is_file():
            raise ValueError(
                f'there is no toy world in {data_root}; make it with: python '
                f'tools/dataset_converters/make_toy_world.py {data_root}'
            )
        super().__init__(
            data_root=data_root,
            ann_file=f'{split}.txt',
            classes=CLASS_NAMES,
            pipeline=pipeline,
            **kwargs,
        )

"""Properties of the published long-tailed lists, to check files with."""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

import numpy as np

from ltvl_mm.structures.class_counts import GROUPS, group_classes
from ltvl_mm.structures.image_list import ImageList


@dataclass(frozen=True)
class PublishedSplits:
    """A data set's published lists.

    Attributes:
        name: Name in papers.
        stem: Stem of the list files: ``<stem>_<split>.txt``.
        num_classes: K.
        sizes: Split -> how many images it lists.
        most: Training images of the largest class.
        fewest: Training images of the smallest class.
        groups: Numbers of many-, medium- and few-shot classes.
        layouts: Folder of a published path -> templates of where an image
            may lie, the published one first; see :mod:`.image_layout`.
    """

    name: str
    stem: str
    num_classes: int
    sizes: Mapping[str, int]
    most: int
    fewest: int
    groups: tuple[int, int, int]
    layouts: Mapping[str, tuple[str, ...]]

    def name_list(self, split: str) -> str:
        """Return the file name of a split's list."""
        return f'{self.stem}_{split}.txt'


# Sizes and extremes: the lists of OLTR (Liu et al. 2019), which all later
# work shares, and of iNaturalist 2018's competition. Groups: the same, by
# group_classes. Layouts: those of the archives and of the lists of BALLAD,
# LIFT and TADE (standard layout), PaCo and LADE (small easy layout).
SPLITS = MappingProxyType(
    {
        'imagenet_lt': PublishedSplits(
            name='ImageNet-LT',
            stem='ImageNet_LT',
            num_classes=1000,
            sizes={'train': 115846, 'val': 20000, 'test': 50000},
            most=1280,
            fewest=5,
            groups=(385, 479, 136),
            layouts={
                'train': (
                    'train/{folder}/{file}',
                    'ILSVRC/Data/CLS-LOC/train/{folder}/{file}',
                    'Data/CLS-LOC/train/{folder}/{file}',
                ),
                'val': (
                    'val/{folder}/{file}',
                    'val/{file}',
                    'ILSVRC/Data/CLS-LOC/val/{folder}/{file}',
                    'ILSVRC/Data/CLS-LOC/val/{file}',
                    'Data/CLS-LOC/val/{folder}/{file}',
                    'Data/CLS-LOC/val/{file}',
                ),
            },
        ),
        'places_lt': PublishedSplits(
            name='Places-LT',
            stem='Places_LT',
            num_classes=365,
            sizes={'train': 62500, 'val': 7300, 'test': 36500},
            most=4980,
            fewest=5,
            groups=(131, 163, 71),
            layouts={
                'train': (
                    'train/{folder}/{file}',
                    'data_256/{letter}/{folder}/{file}',
                    'data_large/{letter}/{folder}/{file}',
                    'data_large_standard/{letter}/{folder}/{file}',
                ),
                'val': (
                    'val/{folder}/{file}',
                    'val_256/{file}',
                    'val_large/{file}',
                    'val/{file}',
                    'val_256/{folder}/{file}',
                ),
            },
        ),
        'inat18': PublishedSplits(
            name='iNaturalist 2018',
            stem='iNaturalist18',
            num_classes=8142,
            sizes={'train': 437513, 'val': 24426},
            most=1000,
            fewest=2,
            groups=(842, 3701, 3599),
            layouts={
                'train_val2018': (
                    'train_val2018/{folder}/{file}',
                    '{folder}/{file}',
                ),
            },
        ),
    }
)


def check_lists(
    splits: PublishedSplits, lists: Mapping[str, ImageList]
) -> str:
    """Return what lists hold in a line, if it is what was published.

    Args:
        splits: Published splits.
        lists: Split -> its list, each split of ``splits.sizes``.

    Raises:
        ValueError: If a list has another size, lacks a class between 0 and
            K - 1, or the training list has another profile; names the list,
            what it has and what was expected.
    """
    for split, expected in splits.sizes.items():
        if len(lists[split]) != expected:
            raise ValueError(
                f'{splits.name_list(split)} lists {len(lists[split]):,} '
                f'images, expected {expected:,}: it was cut, or is not the '
                f'published one'
            )
        counts = np.bincount(lists[split].labels)
        check_labels(splits.name_list(split), counts, splits.num_classes)
    counts = np.bincount(lists['train'].labels)
    names = group_classes(counts)
    groups = tuple(int((names == group).sum()) for group in GROUPS)
    found = (int(counts.max()), int(counts.min()), groups)
    if found != (splits.most, splits.fewest, splits.groups):
        raise ValueError(
            f'{splits.name_list("train")} has {found[0]} to {found[1]} images '
            f'per class and {groups} many-, medium- and few-shot classes, '
            f'expected {splits.most} to {splits.fewest} and {splits.groups}: '
            f'it is not the published one'
        )
    sizes = ', '.join(f'{len(lists[s]):,} {s}' for s in splits.sizes)
    return (
        f'{splits.name}: {sizes}; {found[0]} to {found[1]} training images '
        f'per class; {"/".join(map(str, groups))} many/medium/few'
    )


def check_labels(name: str, counts: np.ndarray, num_classes: int) -> None:
    """Check that a list has each label from 0 to K - 1.

    Args:
        name: Name of the list in messages.
        counts: Images per label, as long as the highest label needs.
        num_classes: K.

    Raises:
        ValueError: If a label is missing or too high; names the first.
    """
    present = np.pad(counts, (0, max(0, num_classes - len(counts))))
    missing = np.flatnonzero(present[:num_classes] == 0)
    if len(missing):
        raise ValueError(
            f'{name} has no image with label {missing[0]}, expected each of '
            f'0 to {num_classes - 1}; {len(missing)} labels are missing'
        )
    if len(counts) > num_classes:
        raise ValueError(
            f'{name} has labels up to {len(counts) - 1}, expected 0 to '
            f'{num_classes - 1}'
        )

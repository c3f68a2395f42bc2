"""Training, val and test lists of a person's photos."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from ltvl_mm.apis.tackle_run.photo_sources import SPLITS, read_sources
from ltvl_mm.datasets.long_tail_profile import draw_split
from ltvl_mm.datasets.split_check import compare_splits, merge_repeats, show
from ltvl_mm.structures.class_names import load_class_names
from ltvl_mm.structures.image_list import ImageList

# Held-out images of a class, where it has so many.
VAL_SHARE, MAX_VAL = 0.1, 20
TEST_SHARE, MAX_TEST = 0.2, 50


@dataclass(frozen=True)
class PhotoSplits:
    """Photos of K classes in three splits.

    Attributes:
        root: Folder that the paths of the lists are relative to.
        lists: ``'train'``, ``'val'`` and ``'test'`` -> images.
        names: K class names, as the photos give them.
        notes: Sentences about what was decided, for the user.
    """

    root: Path
    lists: dict[str, ImageList]
    names: tuple[str, ...]
    notes: tuple[str, ...] = ()

    @property
    def counts(self) -> np.ndarray:
        """(K,) training images per class."""
        return np.bincount(
            self.lists['train'].labels, minlength=len(self.names)
        )


def read_photos(
    sources: Sequence[str | Path],
    *,
    root: str | Path | None = None,
    class_names: str | Path | None = None,
    seed: int = 0,
) -> PhotoSplits:
    """Read photos, and split them where they are not split yet.

    Args:
        sources: A folder with a folder per class; a folder with ``train/``,
            ``val/``, ``test/`` of class folders; a folder with
            ``train.txt``, ``val.txt``, ``test.txt`` lists; or such lists. A
            missing val or test split is drawn from the training images.
        root: Folder of the paths in lists; None for the list's own.
        class_names: File of names in label order; None takes
            ``class_names.txt`` beside the lists, or the names of the folders.
        seed: Seed of the draw.

    Raises:
        ValueError: If a source does not exist, there are fewer than two
            classes, a class has no training image, or an image is in two
            splits or has two labels.
    """
    base, splits, names = read_sources(
        [Path(one) for one in sources], root=root, class_names=class_names
    )
    names = load_class_names(names)
    return _complete(base.resolve(), splits, names, seed)


def count_held_out(
    count: int, missing: Sequence[str] = ('val', 'test')
) -> tuple[int, int]:
    """Return how many of a class's images val and test take.

    One image is always left for training, then comes test, then val.

    Args:
        count: Images of the class, >= 0.
        missing: Splits that are drawn; the others get 0.
    """
    test = 0
    if 'test' in missing and count >= 2:
        test = min(MAX_TEST, max(1, round(TEST_SHARE * count)))
    val = 0
    if 'val' in missing and count - test >= 2:
        val = min(MAX_VAL, max(1, round(VAL_SHARE * count)))
    return val, test


def _complete(
    root: Path, splits: dict[str, ImageList], names: tuple[str, ...], seed: int
) -> PhotoSplits:
    """Draw the missing splits, and check all of them."""
    notes = []
    if len(names) < 2:
        raise ValueError(
            f'{root} has {len(names)} class; a classifier needs two or more'
        )
    for split, images in splits.items():
        top = int(images.labels.max())
        if top >= len(names):
            raise ValueError(
                f'label {top} of the {split} images has no name: there are '
                f'{len(names)} class names'
            )
    splits['train'], report = merge_repeats(splits['train'], root)
    if report.repeats:
        notes.append(
            f'{len(report.repeats):,} repeated images are left out: '
            f'{show(report.repeats)}'
        )
    missing = [split for split in ('val', 'test') if split not in splits]
    if missing:
        splits = _draw(splits, missing, len(names), seed)
        notes.append(
            f'{" and ".join(missing)} images are drawn from the training '
            f'images, with seed {seed}'
        )
    report = compare_splits(splits, dict.fromkeys(splits, root))
    report.raise_if_wrong()
    if report.missing:
        raise ValueError(
            f'{report.missing:,} listed images do not exist below {root}; '
            f'give the folder of the images as --root'
        )
    lists = {
        split: replace(splits[split], file='', lines=None) for split in SPLITS
    }
    found = PhotoSplits(root, lists, names)
    empty = np.flatnonzero(found.counts == 0)
    if len(empty):
        raise ValueError(
            f'{len(empty)} classes have no training image, such as '
            f'{names[empty[0]]!r}'
        )
    notes += _describe_small_classes(found, missing)
    return replace(found, notes=tuple(notes))


def _draw(
    splits: dict[str, ImageList], missing: list[str], classes: int, seed: int
) -> dict[str, ImageList]:
    rest = splits['train']
    counts = np.bincount(rest.labels, minlength=classes)
    held_out = np.array(
        [count_held_out(int(count), missing) for count in counts]
    )  # (K, 2)
    drawn = dict(splits)
    for column, split in enumerate(('val', 'test')):
        if split not in missing:
            continue
        number = held_out[:, column]
        if not number.any():
            raise ValueError(
                f'no class has enough images to hold some out for {split}: '
                f'the largest has {counts.max()}'
            )
        drawn[split], rest = draw_split(rest, number, seed, column + 1)
    return drawn | {'train': rest}


def _describe_small_classes(
    found: PhotoSplits, drawn: Sequence[str]
) -> list[str]:
    notes = []
    for split, effect in (
        ('val', 'has no part in choosing settings'),
        ('test', 'is trained, but not tested'),
    ):
        count = np.bincount(
            found.lists[split].labels, minlength=len(found.names)
        )
        empty = [found.names[k] for k in np.flatnonzero(count == 0)]
        if empty:
            more = f' and {len(empty) - 5} more' if len(empty) > 5 else ''
            one = len(empty) == 1
            reason = ', because there are too few' if split in drawn else ''
            notes.append(
                f'{len(empty)} {"class has" if one else "classes have"} no '
                f'{split} image{reason}: {", ".join(empty[:5])}{more}. Such '
                f'a class {effect}'
            )
    return notes

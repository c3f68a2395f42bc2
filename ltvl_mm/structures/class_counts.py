"""Training images per class, and the groups of classes they make."""

import logging
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np

from ltvl_mm.structures.image_list import read_image_list
from ltvl_mm.utils.image_folders import find_images, is_hidden
from ltvl_mm.utils.io import read_json

# More than MANY training images: many-shot; fewer than FEW: few-shot. Source:
# OLTR (Liu et al. 2019) and section 3.1 of the TACKLE paper, and the code of
# Kang et al. 2020, BALLAD and LIFT. OLTR's own code puts n = 100 into many
# and n = 20 into few; VL-LTR's does the same.
MANY = 100
FEW = 20
GROUPS = ('many', 'medium', 'few')
# Classes without images that a warning lists.
_SHOWN = 5


def load_class_counts(
    source: str | Path | Sequence[int],
    num_classes: int,
    *,
    images: str = 'training',
) -> np.ndarray:
    """Return the (K,) training counts of a list of images, JSON or numbers.

    Log a warning if classes have no image: a list may lack classes, or be of
    another data set with fewer classes.

    Args:
        source: A ``path label`` list (``.txt``), a folder with a folder of
            images per class, as mmpretrain's ``CustomDataset`` reads it
            without a list, a ``.json`` list of K numbers, or the K numbers.
            Of the ORIGINAL training set: which classes are rare does not
            change when images are retrieved.
        num_classes: K.
        images: Kind of the counted images, for the warning.

    Raises:
        ValueError: If the numbers are not K non-negative ones, there are not
            K class folders, or a label lies outside [0, K); names file and
            line.
    """
    counts = _read_counts(source, num_classes)
    if not counts.all():
        from mmengine.logging import print_log

        is_file = isinstance(source, (str, Path))
        text = describe_missing_classes(
            counts, f'{source}' if is_file else 'the class counts', images
        )
        print_log(text, 'current', level=logging.WARNING)
    return counts


def describe_missing_classes(
    counts: np.ndarray, source: str, images: str = 'training'
) -> str:
    """Return a sentence about the classes without images, and what to do.

    Args:
        counts: (K,) images per class, some of them 0.
        source: File of the counts, or a phrase that names them.
        images: Kind of the counted images.
    """
    missing = np.flatnonzero(counts == 0)
    total = len(counts)
    text = (
        f'{len(missing)} of {total} classes have no {images} image in {source}'
    )
    bound = total - len(missing)
    if 0 < bound <= total / 2 and counts[:bound].all():
        return (
            f'{text}: all its labels are below {bound}, so it is probably '
            f'the list of another data set, with {bound} classes instead of '
            f'{total}; give the {images} list of the data set with {total} '
            f'classes'
        )
    shown = ', '.join(map(str, missing[:_SHOWN]))
    more = ', ...' if len(missing) > _SHOWN else ''
    return (
        f'{text}: {shown}{more}; check that it is the {images} list of this '
        f'data set'
    )


def are_counts(values: np.ndarray, num_classes: int) -> bool:
    """Return whether an array holds one whole number >= 0 per class.

    Args:
        values: Array of any shape and type.
        num_classes: K.
    """
    return bool(
        values.shape == (num_classes,)
        and values.dtype.kind in 'iu'
        and (values >= 0).all()
    )


def _read_counts(
    source: str | Path | Sequence[int], num_classes: int
) -> np.ndarray:
    if isinstance(source, (str, Path)) and Path(source).is_dir():
        return _count_folders(Path(source), num_classes)
    if isinstance(source, (str, Path)) and Path(source).suffix != '.json':
        labels = read_image_list(source, num_classes=num_classes).labels
        return np.bincount(labels, minlength=num_classes)
    counts = np.asarray(
        read_json(source) if isinstance(source, (str, Path)) else source
    )
    if not are_counts(counts, num_classes):
        raise ValueError(
            f'class counts must be {num_classes} whole numbers >= 0, got '
            f'{counts.dtype} of shape {counts.shape} from {source!r:.80}'
        )
    return counts


def _count_folders(source: Path, num_classes: int) -> np.ndarray:
    folders = [
        folder
        for folder in sorted(source.iterdir(), key=lambda one: one.name)
        if folder.is_dir() and not is_hidden(folder.name)
    ]
    if len(folders) != num_classes:
        shown = ', '.join(folder.name for folder in folders[:5])
        raise ValueError(
            f'{source} has {len(folders)} class folders ({shown}, ...), but '
            f'there are {num_classes} classes; name the folder of the '
            f'training images, with a folder per class'
        )
    return np.array(
        [
            len(find_images(folder, follow_links=True).files)
            for folder in folders
        ]
    )


def find_shot_accuracy(
    evaluators: Mapping | Sequence[Mapping] | None,
) -> Mapping:
    """Return the evaluator of a config that names ``class_counts``.

    Args:
        evaluators: One or several, such as ``cfg.test_evaluator``.

    Raises:
        ValueError: If none does.
    """
    several = [evaluators] if isinstance(evaluators, Mapping) else evaluators
    for evaluator in several or ():
        if evaluator.get('class_counts') is not None:
            return evaluator
    raise ValueError(
        f'expected an evaluator with class_counts, such as '
        f'ltvl_mm.ShotAccuracy, got {evaluators}'
    )


def group_classes(counts: np.ndarray, *, ties: str = 'medium') -> np.ndarray:
    """Return the (K,) group names ``'many'``, ``'medium'``, ``'few'``.

    Args:
        counts: (K,) training images per class.
        ties: Group of classes with exactly 100 or 20 images: ``'medium'``
            (default, as the papers say), or ``'outer'``, which counts 100 as
            many and 20 as few, as OLTR's code does.

    Raises:
        ValueError: If ``ties`` is neither.
    """
    if ties not in ('medium', 'outer'):
        raise ValueError(f"ties must be 'medium' or 'outer', got {ties!r}")
    shift = ties == 'outer'
    return np.select(
        [counts > MANY - shift, counts < FEW + shift],
        ['many', 'few'],
        'medium',
    )

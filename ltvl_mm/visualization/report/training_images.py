"""Training images of each class, to show beside retrieved ones."""

import os
from pathlib import Path

import numpy as np

from ltvl_mm.structures.image_list import read_image_list

PER_CLASS = 4


def pick_training_images(
    image_list: str | Path,
    root: str | Path,
    num_classes: int,
    *,
    per_class: int = PER_CLASS,
) -> list[list[Path]]:
    """Return files of training images of each class.

    Args:
        image_list: ``path label`` list of the training set.
        root: Folder that the paths of the list start from. Only files below
            it are returned, because lists may come from other people.
        num_classes: K.
        per_class: Maximum number of images of a class, evenly spaced in the
            order of the list.

    Raises:
        ValueError: If the list cannot be read, or none of the files is below
            root.
    """
    images = read_image_list(image_list, num_classes=num_classes)
    order = np.argsort(images.labels, kind='stable')
    ends = np.cumsum(np.bincount(images.labels, minlength=num_classes))
    found: list[list[Path]] = []
    for rows in np.split(order, ends[:-1]):
        places = np.linspace(0, len(rows) - 1, min(per_class, len(rows)))
        files = [
            _find_below(root, images.paths[row])
            for row in rows[places.round().astype(int)]
        ]
        found.append([file for file in files if file is not None])
    if not any(os.path.isfile(file) for files in found for file in files):
        example = f', such as {images.paths[0]!r}' if len(images) else ''
        raise ValueError(
            f'{image_list} names no image below {root}{example}; give the '
            f'folder that the paths of the list start from'
        )
    return found


def _find_below(root: str | Path, path: str) -> Path | None:
    """Return the file of a listed path; None if it is outside of root."""
    folder = os.path.normpath(root)
    file = os.path.normpath(os.path.join(folder, path))
    # Not resolved: links below root are the owner's.
    inside = os.path.commonpath([folder, file]) == folder
    return Path(file) if inside else None

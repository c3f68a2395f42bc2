"""Read a folder that has a folder of images per class."""

from pathlib import Path

import numpy as np
from mmengine.logging import print_log

from ltvl_mm.structures.image_list import ImageList
from ltvl_mm.utils.image_folders import (
    LeftOut,
    find_images,
    get_suffix,
    is_hidden,
)


def read_class_folders(source: Path) -> tuple[ImageList, list[str]]:
    """Return the images below class folders, and the folders' names.

    Hidden folders and system files are left out, and so are files that are
    not in a class folder or are not images; a warning says how many and which.
    Links are followed, as class folders are often links.

    Args:
        source: Folder with a folder per class; labels follow the order of
            their names.

    Raises:
        ValueError: If there is no class folder, or one has no image.
    """
    left_out, folders = LeftOut(), []
    for entry in sorted(source.iterdir(), key=lambda entry: entry.name):
        if is_hidden(entry.name):
            left_out.add('hidden entries', entry.name)
        elif entry.is_dir():
            folders.append(entry)
        elif get_suffix(entry.name) not in ('txt', 'json'):
            left_out.add('files outside class folders', entry.name)
    paths, labels, empty = [], [], []
    for label, folder in enumerate(folders):
        found = find_images(folder, follow_links=True)
        left_out.update(found.left_out.within(folder.name))
        paths += [f'{folder.name}/{path}' for path in found.files]
        labels += [label] * len(found.files)
        if not found.files:
            empty.append(folder.name)
    said = f'; left out: {left_out}' if left_out else ''
    if not folders:
        raise ValueError(
            f'{source} has no class folders; expected a folder per class '
            f'with images in it{said}'
        )
    if empty:
        raise ValueError(
            f'{len(empty)} class folders of {source} have no image: '
            f'{", ".join(empty[:5])}{said}. Remove them or add images'
        )
    if left_out:
        print_log(
            f'{source}: {len(paths)} images in {len(folders)} class folders'
            f'{said}',
            'current',
            level=30,
        )
    return ImageList(tuple(paths), np.array(labels, np.int64)), [
        folder.name for folder in folders
    ]

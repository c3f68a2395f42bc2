"""Published long-tailed lists, brought to a person's folders."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np

from ltvl_mm.datasets.image_layout import (
    detect_layout,
    map_prefix,
    place_images,
    write_path,
)
from ltvl_mm.datasets.published_splits import PublishedSplits
from ltvl_mm.structures.class_names import (
    load_class_names,
    write_class_names,
)
from ltvl_mm.structures.image_list import (
    ImageList,
    read_image_list,
    write_image_list,
)
from ltvl_mm.utils.io import read_json, write_if_new

Lists = dict[str, ImageList]


def read_lists(splits: PublishedSplits, folder: str | Path) -> Lists:
    """Return split -> its list in ``folder``.

    Raises:
        ValueError: If one is missing or a line of it is not ``path label``.
    """
    return {
        split: read_image_list(Path(folder) / splits.name_list(split))
        for split in splits.sizes
    }


def read_inat_json(file: str | Path) -> ImageList:
    """Return the list of a COCO-like json file of iNaturalist 2018.

    Args:
        file: ``train2018.json`` or ``val2018.json``; the category ids are
            the labels.

    Raises:
        ValueError: If it is not JSON of that form, or an image has no
            category; names the file.
    """
    content = read_json(file)
    try:
        labels = {
            entry['image_id']: entry['category_id']
            for entry in content['annotations']
        }
        images = content['images']
        paths = tuple(image['file_name'] for image in images)
        return ImageList(
            paths, np.array([labels[i['id']] for i in images], np.int64)
        )
    except (KeyError, TypeError) as error:
        raise ValueError(
            f'{file} is not of iNaturalist 2018: it lacks {error}, expected '
            f'images (id, file_name) and annotations (image_id, category_id)'
        ) from None


def read_inat_names(file: str | Path) -> tuple[str, ...]:
    """Return the category names of a json file, in the order of their ids.

    Raises:
        ValueError: If it has no names.
    """
    content = read_json(file)
    if isinstance(content, dict):
        content = content.get('categories', [])
    try:
        return load_class_names(
            [entry['name'] for entry in sorted(content, key=lambda e: e['id'])]
        )
    except (KeyError, TypeError, ValueError):
        raise ValueError(
            f'{file} has no category names, expected a list of id and name'
        ) from None


def name_classes_by_folder(
    splits: PublishedSplits, lists: Lists
) -> tuple[str, ...]:
    """Return the folder of each label in words.

    ``apartment_building/outdoor`` becomes ``apartment building outdoor``.
    """
    folders = {}
    placed = place_images(lists, splits.layouts)
    for split, images in lists.items():
        for image, label in zip(
            placed[split], images.labels.tolist(), strict=True
        ):
            folders[label] = image.folder
    return tuple(
        folders[label].replace('/', ' ').replace('_', ' ')
        for label in sorted(folders)
    )


def fit_lists(
    splits: PublishedSplits,
    lists: Lists,
    root: Path,
    prefixes: Mapping[str, str] | None,
) -> tuple[Lists, str]:
    """Return the lists with paths below ``root``, and what was done.

    Args:
        splits: Published splits of the lists.
        lists: Lists as published, or as another project laid them out.
        root: Folder of the images.
        prefixes: Old -> new beginnings of paths; None looks at ``root`` and
            finds out.

    Raises:
        ValueError: If no known layout fits what is below ``root``, or a path
            begins with none of the prefixes.
    """
    if prefixes:
        told = ', '.join(f'{old} -> {new}' for old, new in prefixes.items())
        return {
            split: _replace(
                images, [map_prefix(path, prefixes) for path in images.paths]
            )
            for split, images in lists.items()
        }, f'prefixes: {told}'
    placed = place_images(lists, splits.layouts)
    chosen = detect_layout(
        [image for images in placed.values() for image in images],
        splits.layouts,
        lambda path: (root / path).is_file(),
    )
    told = ', '.join(f'{source}: {form}' for source, form in chosen.items())
    return {
        split: _replace(
            lists[split],
            [write_path(image, chosen[image.source]) for image in images],
        )
        for split, images in placed.items()
    }, f'layout found below {root}: {told}'


def write_lists(
    root: Path, files: Mapping[str, ImageList], names: Sequence[str]
) -> list[str]:
    """Write lists, ``class_names.txt`` and ``class_counts.json``.

    Args:
        root: Folder of the data set.
        files: File name -> list; the first is the training list.
        names: K class names, in label order.

    Returns:
        What is new or changed; nothing when a run is repeated.
    """
    train = next(iter(files.values()))
    counts = np.bincount(train.labels, minlength=len(names)).tolist()
    written = {
        name: write_image_list(root / name, images)
        for name, images in files.items()
    }
    written['class_names.txt'] = write_class_names(
        root / 'class_names.txt', names
    )
    written['class_counts.json'] = write_if_new(
        root / 'class_counts.json', json.dumps(counts) + '\n'
    )
    return [name for name, is_new in written.items() if is_new]


def _replace(images: ImageList, paths: Sequence[str]) -> ImageList:
    return replace(images, paths=tuple(paths))

"""Folders and lists of photos, as people have them."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from ltvl_mm.datasets.class_folders import read_class_folders
from ltvl_mm.structures.image_list import (
    ImageList,
    read_image_list,
    shorten_paths,
)
from ltvl_mm.utils.image_folders import is_hidden

SPLITS = ('train', 'val', 'test')
# What folders and lists of a split are called.
_ALIASES = {
    'train': ('train', 'training'),
    'val': ('val', 'valid', 'validation'),
    'test': ('test', 'testing'),
}
_NAME_FILES = ('class_names.txt', 'classnames.txt', 'classes.txt')


def read_sources(
    paths: Sequence[Path],
    *,
    root: str | Path | None,
    class_names: str | Path | None,
) -> tuple[Path, dict[str, ImageList], str | Path | Sequence[str]]:
    """Return the images of a folder or of lists, as they are split.

    Args:
        paths: Paths of photos; see :func:`.photo_splits.read_photos`.
        root: Folder of the paths in lists; None for the list's own.
        class_names: File of names; None for those of the photos.

    Returns:
        Folder that the paths are relative to; split -> images, with
        ``'train'`` in any case; names, or a file of names.

    Raises:
        ValueError: If a source does not exist or has no names.
    """
    for path in paths:
        if not path.exists():
            raise ValueError(
                f'{path} does not exist; give a folder of class folders, or '
                f'path label lists'
            )
    folder = paths[0] if len(paths) == 1 and paths[0].is_dir() else None
    found = _find_lists(paths, folder)
    if found:
        base = Path(root or next(iter(found.values())).parent)
        splits = _read_lists(found, base)
        names = class_names or _find_names(base, splits)
    elif folder is None:
        raise ValueError(
            f'several sources must be .txt lists whose names hold train, val '
            f'or test, got {", ".join(map(str, paths))}'
        )
    else:
        base = folder
        splits, names = _read_folders(folder)
        names = class_names or names
    return base, splits, names


def _find_lists(paths: Sequence[Path], folder: Path | None) -> dict[str, Path]:
    """Return split -> list file; nothing if the photos are in folders."""
    if folder is not None:
        files = {split: folder / f'{split}.txt' for split in SPLITS}
        found = {
            split: file for split, file in files.items() if file.is_file()
        }
        return found if 'train' in found else {}
    if any(path.suffix != '.txt' for path in paths):
        return {}
    if len(paths) == 1:
        return {'train': paths[0]}
    found = {}
    for path in paths:
        split = next((s for s in SPLITS if s in path.stem.lower()), None)
        if split is None or split in found:
            return {}
        found[split] = path
    if 'train' not in found:
        raise ValueError(
            f'there is no training list among {", ".join(map(str, paths))}; '
            f'its name must hold "train"'
        )
    return found


def _read_lists(found: dict[str, Path], base: Path) -> dict[str, ImageList]:
    return {
        split: shorten_paths(read_image_list(file), base)
        for split, file in found.items()
    }


def _find_names(base: Path, splits: dict[str, ImageList]) -> Path | list[str]:
    """Return a file of names, or the names of the images' folders."""
    for name in _NAME_FILES:
        if (base / name).is_file():
            return base / name
    images = splits['train']
    folders: dict[int, set[str]] = {}
    for path, label in zip(images.paths, images.labels.tolist(), strict=True):
        folders.setdefault(label, set()).add(Path(path).parent.name)
    classes = int(images.labels.max()) + 1
    names = [next(iter(folders.get(k, {''}))) for k in range(classes)]
    if any(len(found) > 1 for found in folders.values()) or not all(names):
        raise ValueError(
            f'the classes of the lists have no names: write one name per '
            f'line, in label order, to {base / _NAME_FILES[0]}, or give '
            f'--class-names'
        )
    return [_spell(name) for name in names]


def _read_folders(
    folder: Path,
) -> tuple[dict[str, ImageList], list[str]]:
    """Return the images of class folders, and the names of the classes."""
    inside = {
        entry.name.lower(): entry
        for entry in folder.iterdir()
        if entry.is_dir() and not is_hidden(entry.name)
    }
    found = {
        split: inside[alias]
        for split, aliases in _ALIASES.items()
        for alias in aliases
        if alias in inside
    }
    if 'train' not in found or len(found) < len(inside):
        images, names = read_class_folders(folder)
        _check_depth(folder, images, names)
        return {'train': images}, [_spell(name) for name in names]
    read = {split: read_class_folders(path) for split, path in found.items()}
    names = read['train'][1]
    splits = {}
    for split, (images, own) in read.items():
        unknown = [name for name in own if name not in names]
        if unknown:
            raise ValueError(
                f'{found[split]} has classes without a training folder: '
                f'{", ".join(unknown[:5])}'
            )
        _check_depth(found[split], images, own)
        labels = np.array([names.index(name) for name in own], np.int64)
        splits[split] = ImageList(
            tuple(f'{found[split].name}/{path}' for path in images.paths),
            labels[images.labels],
        )
    return splits, [_spell(name) for name in names]


def _check_depth(
    folder: Path, images: ImageList, names: Sequence[str]
) -> None:
    """Refuse class folders that only hold the folders of other classes."""
    deep = [path for path in images.paths if path.count('/') > 1]
    if len(deep) < len(images) or not deep:
        return
    inner = len({path.rpartition('/')[0] for path in images.paths})
    raise ValueError(
        f'the {len(names)} folders of {folder} hold no images themselves, '
        f'but {inner} folders of images, such as '
        f'{deep[0].rpartition("/")[0]}. If those are the classes, link or '
        f'move them into one folder, or give path label lists'
    )


def _spell(name: str) -> str:
    """Return a folder's name as CLIP reads it."""
    return name.replace('_', ' ').replace('-', ' ').strip() or name

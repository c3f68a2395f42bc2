"""Lists of images in the text format of ImageNet-LT: ``path label``.

Every list of images is read here. Accepted are a byte order mark, line ends
of Windows and old Macs, blank lines, comments (``# text``), tabs, and several
blanks before the label. Paths may hold blanks and begin with ``#``; a path
that would read as a comment is written ``./# text``. Paths are normalized:
``./a//b.jpg`` is ``a/b.jpg``, so that an image has one name.
"""

import logging
import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path, PurePosixPath

import numpy as np

from ltvl_mm.utils.io import write_if_new
from ltvl_mm.utils.remote_paths import (
    as_path,
    is_remote,
    shorten_address,
)
from ltvl_mm.utils.text import is_comment, read_lines, split_lines

# A larger label is a mistake, and an array of that length would be made.
MAX_LABEL = 9_999_999
# Repeated lines that a message lists.
_SHOWN = 3
_LINE = re.compile(r'(?P<path>.*[^ \t])[ \t]+(?P<label>[0-9]+)', re.DOTALL)
_LABEL_OR_NONE = re.compile(
    r'(?P<path>.*[^ \t])[ \t]+(?P<label>[0-9]+|-1)', re.DOTALL
)


@dataclass(frozen=True)
class ImageList:
    """Images and their labels.

    Args:
        paths: N paths of the list, by :func:`normalize_path`.
        labels: (N,) int64 in [0, K).
        file: The list file, for messages; '' if there is none.
        lines: (N,) line numbers in the file, for messages; None without.
    """

    paths: tuple[str, ...]
    labels: np.ndarray
    file: str = ''
    lines: tuple[int, ...] | None = None

    def __len__(self) -> int:
        return len(self.paths)

    def describe(self, row: int) -> str:
        """Return where an image is listed, for messages."""
        path = repr(self.paths[row])
        if self.lines is None:
            return f'{self.file} {path}'.strip()
        return f'{self.file}, line {self.lines[row]}: {path}'


def read_image_list(
    path: str | Path, *, num_classes: int | None = None
) -> ImageList:
    """Read ``path label`` lines.

    Args:
        path: The list file, UTF-8.
        num_classes: K; None leaves labels unbounded above.

    Raises:
        ValueError: If the file is missing, empty or not UTF-8, or a line
            has no label or one outside [0, K); names file, line and value.
    """
    file = as_path(path)
    if not file.exists():
        raise ValueError(f'the image list {file} does not exist')
    paths, labels, lines = [], [], []
    bound = MAX_LABEL + 1 if num_classes is None else num_classes
    for number, name, label in read_entries(file):
        if label >= bound:
            raise ValueError(
                f'{file}, line {number}: label {label} lies outside '
                f'[0, {bound})'
            )
        paths.append(name)
        labels.append(label)
        lines.append(number)
    if not paths:
        raise ValueError(f'the image list {file} is empty')
    return ImageList(
        tuple(paths), np.array(labels, np.int64), str(file), tuple(lines)
    )


def read_entries(
    file: str | Path, *, open_set: bool = False
) -> Iterator[tuple[int, str, int]]:
    """Yield line number, path and label of each line of a list.

    Args:
        file: The list.
        open_set: Accept the label -1, of images that show no known class.

    Raises:
        ValueError: If a line is not ``path label``; names file and line.
    """
    pattern = _LABEL_OR_NONE if open_set else _LINE
    for line in read_lines(file):
        found = pattern.fullmatch(line.text)
        if found is None:
            raise ValueError(
                f'{file}, line {line.number}: expected "path label" with a '
                f'label >= {-1 if open_set else 0}, got {line.text!r:.120}'
            )
        _check_number_sign(file, line.number, found['path'], line.text)
        # Python refuses to convert more than 4,300 digits.
        label = found['label'].lstrip('0')[:20]
        yield line.number, normalize_path(found['path']), int(label or 0)


def read_listed_paths(
    path: str | Path, *, root: str | Path | None = None
) -> dict[str, Path]:
    """Read a list of images whose labels, if there are any, do not matter.

    Args:
        path: A path, or ``path label``, on each line; label -1: no class.
        root: Folder that relative paths begin in, and that absolute paths
            must lie in; None for the list's own folder, and absolute paths
            anywhere. So with addresses, except in a remote list without
            root, whose images lie in its folder.

    Returns:
        Path as listed -> file. An absolute path below ``root`` is named
        relative to it.

    Raises:
        ValueError: As :func:`read_image_list`; or if the root does not
            exist, or a path leaves it; names file and line.
    """
    file = as_path(path)
    folder = as_path(root or file.parent)
    if not folder.is_dir():
        raise ValueError(f'the image root {folder} does not exist')
    bound = folder if root is None and is_remote(file) else root
    files: dict[str, Path] = {}
    repeated: list[str] = []
    for line in read_lines(file):
        found = _LABEL_OR_NONE.fullmatch(line.text)
        name = found['path'] if found else line.text
        _check_number_sign(file, line.number, name, line.text)
        try:
            name = shorten_path(normalize_path(name), bound)
        except ValueError as error:
            raise ValueError(f'{file}, line {line.number}: {error}') from None
        if name in files:
            repeated.append(f'{name} (line {line.number})')
        try:
            files[name] = (
                as_path(name) if is_remote(name) else folder.resolve() / name
            )
        except ValueError as error:  # leaves a remote folder
            raise ValueError(f'{file}, line {line.number}: {error}') from None
    if not files:
        raise ValueError(f'there is no image in {file}')
    if repeated:
        from mmengine.logging import print_log

        more = ', ...' if len(repeated) > _SHOWN else ''
        print_log(
            f'{file}: {len(repeated)} lines repeat an image, which is read '
            f'once: {", ".join(repeated[:_SHOWN])}{more}',
            'current',
            level=logging.WARNING,
        )
    return files


def shorten_path(path: str, root: str | Path | None) -> str:
    """Return a listed path relative to the folder of the images.

    Args:
        path: Relative, or absolute below ``root``.
        root: Folder of the images; None lets absolute paths pass.

    Raises:
        ValueError: If the path leaves the root.
    """
    pure = PurePosixPath(path)
    if '..' in pure.parts:
        raise ValueError(f'{path!r} leaves the image root: it holds ..')
    if is_remote(path):
        return shorten_address(path, root)
    if root is None or not pure.is_absolute():
        return path
    for folder in (Path(root).absolute(), Path(root).resolve()):
        if pure.is_relative_to(folder.as_posix()):
            return pure.relative_to(folder.as_posix()).as_posix()
    raise ValueError(f'{path!r} leaves the image root {root}')


def shorten_paths(images: ImageList, root: str | Path) -> ImageList:
    """Return a list whose absolute paths are relative to a folder.

    Raises:
        ValueError: If an absolute path does not lie below ``root``; names
            the line.
    """
    paths = []
    for row, path in enumerate(images.paths):
        if path.startswith('/'):
            try:
                path = shorten_path(path, root)
            except ValueError as error:
                raise ValueError(f'{images.describe(row)}: {error}') from None
        paths.append(path)
    return replace(images, paths=tuple(paths))


def write_image_list(path: str | Path, images: ImageList) -> bool:
    """Write ``path label`` lines; return whether the file is new or changed.

    Raises:
        ValueError: If a path has a line break, or a blank at its end.
    """
    lines = []
    for name, label in zip(images.paths, images.labels.tolist(), strict=True):
        if split_lines(name) != [name] or name != name.strip(' \t\ufeff'):
            raise ValueError(
                f'a list cannot hold the path {name!r:.120}: it is empty, or '
                f'has a line break or a blank at one of its ends; rename it'
            )
        if name.startswith('#') and (
            is_comment(name) or not PurePosixPath(name).suffix
        ):
            name = f'./{name}'
        lines.append(f'{name} {label}\n')
    return write_if_new(path, ''.join(lines))


def normalize_path(path: str) -> str:
    """Return a listed path without ``.`` folders and repeated slashes.

    ``..`` is kept, because a folder before it may be a link. Addresses
    (``s3://...``, which mmengine's file backends read) are not changed.

    Args:
        path: Path as in the list; ``./#text`` begins with #.
    """
    # Most paths are plain, and pathlib takes 1 us for each.
    if ('./' in path or '//' in path) and '://' not in path:
        return str(PurePosixPath(path))
    return path


def _check_number_sign(
    file: str | Path, number: int, path: str, text: str
) -> None:
    """Refuse ``#text``, which may be a comment or a path.

    Raises:
        ValueError: If ``path`` begins with # and has no suffix.
    """
    if path.startswith('#') and not PurePosixPath(path).suffix:
        raise ValueError(
            f'{file}, line {number}: write a comment as "# text", or a path '
            f'that begins with # as "./#path"; got {text!r:.120}'
        )

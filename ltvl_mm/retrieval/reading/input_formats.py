"""Recognize files that look like tars of images but cannot be read as such."""

import shlex
from pathlib import Path

from ltvl_mm.retrieval.reading.parquet_rows import (
    find_image_column,
    list_columns,
)
from ltvl_mm.utils.image_decoding import list_image_suffixes
from ltvl_mm.utils.image_folders import get_suffix
from ltvl_mm.utils.regular_files import read_regular
from ltvl_mm.utils.remote_paths import is_remote

# First bytes -> name, and the command that unpacks it.
_FORMATS = (
    (b'\x1f\x8b', 'gzip', 'gunzip < {path} > {plain}'),
    (b'BZh', 'bzip2', 'bunzip2 < {path} > {plain}'),
    (b'\xfd7zXZ\0', 'xz', 'xz -d < {path} > {plain}'),
    (b'\x28\xb5\x2f\xfd', 'zstd', 'zstd -d < {path} > {plain}'),
    (b'PK\x03\x04', 'zip', 'unzip {path} -d {folder}'),
    (b'PK\x05\x06', 'zip', 'unzip {path} -d {folder}'),
    (b'Rar!', 'rar', 'unrar x {path} {folder}/'),
    (b"7z\xbc\xaf'\x1c", '7z', '7z x {path} -o{folder}'),
)
ARCHIVE_SUFFIXES = frozenset(
    ('gz', 'tgz', 'bz2', 'tbz', 'tbz2', 'xz', 'txz', 'zst', 'zip', 'rar', '7z')
)


def check_shard_file(path: Path) -> None:
    """Refuse a compressed or misnamed file before anything is embedded.

    Args:
        path: A file whose name ends in ``.tar`` or ``.parquet``.

    Raises:
        ValueError: If it cannot be opened, or its first bytes are those of
            another format; says how to unpack it.
    """
    try:
        reason = describe_unreadable_input(path)
    except OSError as error:
        reason = f'{path} cannot be opened: {error.strerror}'
    if reason is not None:
        raise ValueError(reason)


def holds_images(path: Path) -> bool:
    """Return True for a parquet file with a column of image bytes.

    img2dataset also writes parquet files of addresses and captions only.

    Raises:
        ValueError: If it is not a parquet file.
    """
    return find_image_column(path) is not None


def describe_other_file(path: Path) -> str:
    """Return why an input of another type is refused, and what to do."""
    expected = (
        "expected a tar, a parquet file of img2dataset's parquet format, a "
        'folder or a .txt list'
    )
    if not path.exists():
        return f'{path} does not exist; {expected}'
    try:
        problem = describe_unreadable_input(path)
        if problem is not None:
            return problem
        if path.suffix.lower() == '.parquet':
            columns = ', '.join(list_columns(path))
            return (
                f"{path} holds no image bytes in img2dataset's form; its "
                f'columns are {columns:.300}. Expected a binary column jpg, '
                f'png or webp and a column key, as img2dataset '
                f'--output_format parquet writes them. If it lists addresses, '
                f'download them with img2dataset; if a column holds bytes and '
                f'path, as Hugging Face writes images, save them as files '
                f'first'
            )
    except (OSError, ValueError) as error:
        return f'{error}; {expected}'
    if get_suffix(path.name) in list_image_suffixes():
        return f'{path} is one image; give its folder or a .txt list'
    return f'{path} is of another type; {expected}'


def describe_unreadable_input(path: Path) -> str | None:
    """Return a message about a file that must be converted, or None.

    Compressed files must be unpacked, and parquet files need their suffix.

    Args:
        path: A file; it is recognized by its first bytes.

    Returns:
        Problem and remedy, as one text; None if there is no such problem.

    Raises:
        OSError: If it cannot be read.
        ValueError: If it is not a regular file.
    """
    start = read_regular(path, max_bytes=8, cut=True)
    for magic, name, command in _FORMATS:
        if start.startswith(magic):
            folder = path.with_name(path.name.split('.')[0])
            plain = folder.with_name(folder.name + '.tar')
            if plain == path:
                plain = path.with_name(f'{path.stem}_plain.tar')
            words = {
                name: shlex.quote(str(file))
                for name, file in (
                    ('path', path),
                    ('plain', plain),
                    ('folder', folder),
                )
            }
            command = command.format(**words)
            if is_remote(path):
                command = 'download, unpack and upload it'
            return (
                f'{path} is compressed ({name}). Images are read from plain '
                f'tars and folders, so unpack it first: {command}'
            )
    if start.startswith(b'PAR1') and path.suffix.lower() != '.parquet':
        return f'{path} is a parquet file; rename it to end in .parquet'
    return None

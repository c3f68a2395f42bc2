"""Open files that users name, and refuse pipes and devices.

Opening a named pipe (FIFO) waits for a writer for ever, and ``/dev/zero``
never ends. Every path that comes from the user's data (a list, a manifest, a
store, a folder) is opened with these functions. They read remote objects
(``s3://``, ``gs://``, ``hf://``, ``https://``) as well.
"""

import os
import stat
from pathlib import Path
from typing import IO

from ltvl_mm.utils.remote_files import (
    find_info,
    measure_object,
    read_object,
    read_range,
)
from ltvl_mm.utils.remote_paths import as_path, is_remote
from ltvl_mm.utils.remote_reader import open_remote

_KINDS = (
    (stat.S_ISDIR, 'a folder'),
    (stat.S_ISFIFO, 'a named pipe (FIFO)'),
    (stat.S_ISSOCK, 'a socket'),
    (stat.S_ISCHR, 'a device'),
    (stat.S_ISBLK, 'a device'),
)


def open_regular(path: str | Path) -> IO[bytes]:
    """Open a regular file for reading bytes, without waiting for a pipe.

    Args:
        path: The file, a symbolic link to it, or a remote object.

    Raises:
        OSError: If it does not exist or cannot be opened.
        ValueError: If it is a folder, pipe, socket or device.
    """
    if is_remote(path):
        return open_remote(str(as_path(path)))
    # O_NONBLOCK: without it, opening a pipe waits for its writer.
    flags = os.O_RDONLY
    for name in ('O_NONBLOCK', 'O_NOCTTY', 'O_CLOEXEC', 'O_BINARY'):
        flags |= getattr(os, name, 0)
    _check_kind(path, os.stat(path).st_mode)
    handle = os.open(path, flags)
    try:
        # Once more: the path may have been replaced since.
        _check_kind(path, os.fstat(handle).st_mode)
        return os.fdopen(handle, 'rb')
    except BaseException:
        os.close(handle)
        raise


def read_regular(
    path: str | Path,
    *,
    max_bytes: int | None = None,
    cut: bool = False,
) -> bytes:
    """Return the bytes of a regular file.

    Args:
        path: The file, a symbolic link to it, or a remote object.
        max_bytes: Largest allowed size; None for no limit.
        cut: Return the first ``max_bytes`` of a larger file instead of
            raising.

    Raises:
        OSError: If it does not exist or cannot be read.
        ValueError: If it is not a regular file, or larger than
            ``max_bytes``.
    """
    if is_remote(path):
        url = str(as_path(path))
        if max_bytes is not None and not cut:
            _check_size(path, measure_object(url), max_bytes)
        return read_object(url, max_bytes=max_bytes)
    with open_regular(path) as file:
        if max_bytes is None:
            return file.read()
        size = os.fstat(file.fileno()).st_size
        if not cut:
            _check_size(path, size, max_bytes)
        return file.read(max_bytes)


def read_part_of_file(path: str | Path, offset: int, size: int) -> bytes:
    """Return ``size`` bytes from ``offset`` on; fewer if the file ends before.

    Of a remote object, only these bytes are read.

    Raises:
        OSError: If it does not exist or cannot be read.
        ValueError: If it is not a regular file.
    """
    if is_remote(path):
        url = str(as_path(path))
        return read_range(url, offset, offset + size, may_end=True)
    with open_regular(path) as file:
        file.seek(offset)
        return file.read(size)


def read_version(path: str | Path) -> tuple[int, int | str]:
    """Return the size of a file, and its modification time in nanoseconds.

    Of a remote object, the version (ETag) that the server gives it.

    Raises:
        OSError: If it does not exist.
    """
    if not is_remote(path):
        found = os.stat(path)
        return found.st_size, found.st_mtime_ns
    info = find_info(str(as_path(path)))
    if info is None:
        raise FileNotFoundError(2, 'No such object', str(path))
    return info.size, info.version


def check_regular(path: str | Path) -> None:
    """Refuse a path before another library opens it by name.

    Raises:
        OSError: If it does not exist.
        ValueError: If it is a folder, pipe, socket or device.
    """
    if is_remote(path):
        measure_object(str(as_path(path)))
        return
    _check_kind(path, os.stat(path).st_mode)


def check_replaceable(path: str | Path) -> None:
    """Refuse to write over a folder, pipe, socket or device.

    Renaming a finished file to ``/dev/null`` would remove the device.

    Raises:
        ValueError: If ``path`` exists and is not a regular file.
    """
    if is_remote(path):  # an object and a folder may have one name
        return
    try:
        mode = os.stat(path).st_mode
    except OSError:  # does not exist, or a broken link
        return
    if not stat.S_ISREG(mode):
        raise ValueError(
            f'cannot write {path}: it is {_name_kind(mode)}; give the name '
            f'of a file'
        )


def _check_size(path: str | Path, size: int, limit: int) -> None:
    if size > limit:
        raise ValueError(
            f'{path} has {size:,} bytes, but at most {limit:,} are read; '
            f'check that it is the file you mean'
        )


def _check_kind(path: str | Path, mode: int) -> None:
    if stat.S_ISREG(mode):
        return
    raise ValueError(f'{path} is {_name_kind(mode)}; expected a regular file')


def _name_kind(mode: int) -> str:
    return next((name for test, name in _KINDS if test(mode)), 'special')

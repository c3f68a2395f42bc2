"""Open files that users name, and refuse pipes and devices.

Opening a named pipe (FIFO) waits for a writer for ever, and ``/dev/zero``
never ends. Every path that comes from the user's data (a list, a manifest, a
store, a folder) is opened with these functions.
"""

import os
import stat
from pathlib import Path
from typing import IO

_KINDS = (
    (stat.S_ISDIR, 'a folder'),
    (stat.S_ISFIFO, 'a named pipe (FIFO)'),
    (stat.S_ISSOCK, 'a socket'),
    (stat.S_ISCHR, 'a device'),
    (stat.S_ISBLK, 'a device'),
)


def open_regular(path: str | Path) -> IO[bytes]:
    """Open a regular file for reading bytes, without ever waiting.

    Args:
        path: The file, or a symbolic link to it.

    Raises:
        OSError: If it does not exist or cannot be opened.
        ValueError: If it is a folder, pipe, socket or device.
    """
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
    path: str | Path, *, max_bytes: int | None = None, cut: bool = False
) -> bytes:
    """Return the bytes of a regular file.

    Args:
        path: The file, or a symbolic link to it.
        max_bytes: Largest allowed size; None for no limit.
        cut: Return the first ``max_bytes`` of a larger file instead of
            raising.

    Raises:
        OSError: If it does not exist or cannot be read.
        ValueError: If it is not a regular file, or larger than
            ``max_bytes``.
    """
    with open_regular(path) as file:
        if max_bytes is None:
            return file.read()
        size = os.fstat(file.fileno()).st_size
        if size > max_bytes and not cut:
            raise ValueError(
                f'{path} has {size:,} bytes, but at most {max_bytes:,} are '
                f'read; check that it is the file you mean'
            )
        return file.read(max_bytes)


def check_regular(path: str | Path) -> None:
    """Refuse a path before another library opens it by name.

    Raises:
        OSError: If it does not exist.
        ValueError: If it is a folder, pipe, socket or device.
    """
    _check_kind(path, os.stat(path).st_mode)


def check_replaceable(path: str | Path) -> None:
    """Refuse to write over a folder, pipe, socket or device.

    Renaming a finished file to ``/dev/null`` would remove the device.

    Raises:
        ValueError: If ``path`` exists and is not a regular file.
    """
    try:
        mode = os.stat(path).st_mode
    except OSError:  # does not exist, or a broken link
        return
    if not stat.S_ISREG(mode):
        raise ValueError(
            f'cannot write {path}: it is {_name_kind(mode)}; give the name '
            f'of a file'
        )


def _check_kind(path: str | Path, mode: int) -> None:
    if stat.S_ISREG(mode):
        return
    raise ValueError(f'{path} is {_name_kind(mode)}; expected a regular file')


def _name_kind(mode: int) -> str:
    return next((name for test, name in _KINDS if test(mode)), 'special')

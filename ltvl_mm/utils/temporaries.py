"""Temporary files that say who writes them, and errors of full disks."""

import errno
import os
import re
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path

from ltvl_mm.utils.processes import ProcessId, identify_process
from ltvl_mm.utils.remote_paths import is_remote

# Name of the lock file in an output folder; see ltvl_mm/utils/lock.py.
LOCK = '.lock'
# Age at which a file of a process on another machine counts as left over.
STALE_SECONDS = 600

_NAME = re.compile(
    r'\..*\.(?P<machine>[0-9a-f]{16})-(?P<pid>\d{1,9})-(?P<start>\d{1,18})'
    r'\.\w+\.tmp',
    re.DOTALL,
)
_SHORT_WRITE = re.compile(
    r'\d+ requested and \d+ written|PytorchStreamWriter failed writing'
)
_ADVICE = {
    errno.ENOSPC: 'the disk is full; free space',
    errno.EDQUOT: 'the disk quota is used up; free space or raise the quota',
    errno.EROFS: 'the file system is read-only; choose another folder',
    errno.EACCES: 'permission denied; change the permissions of its folder',
    errno.EPERM: 'permission denied; change the permissions of its folder',
    errno.EFBIG: 'the file is larger than the file system or ulimit allows; '
    'raise the limit',
}


def create_temporary(path: Path) -> tuple[int, Path]:
    """Create an empty file beside ``path`` that names its writer.

    Returns:
        An open file descriptor and the file: ``.<name>.<machine>-<pid>-
        <start time>.<random>.tmp``.
    """
    writer = _identify_self(os.getpid())
    handle, name = tempfile.mkstemp(
        prefix=f'.{_shorten(path.name)}.{writer.machine}-{writer.pid}-'
        f'{writer.start}.',
        suffix='.tmp',
        dir=path.parent,
    )
    return handle, Path(name)


def remove_temporaries(folder: str | Path, *, name: str = '') -> None:
    """Delete temporary files in ``folder`` whose writers are dead.

    Only files whose names end in ``.tmp`` and begin with a dot. The name
    tells the writer (:func:`create_temporary`). A file of another machine,
    or of an earlier version, is deleted if it is older than STALE_SECONDS.

    Args:
        folder: Folder whose lock is held.
        name: File whose temporary files are meant; '' for all files.
    """
    if is_remote(folder):  # uploads leave no temporary objects
        return
    start = f'.{_shorten(name)}.' if name else '.'
    for file in Path(folder).glob('.*.tmp'):
        if not file.name.startswith(start):
            continue
        found = _NAME.fullmatch(file.name)
        alive = None
        if found:
            writer = ProcessId(
                '', found['machine'], int(found['pid']), int(found['start'])
            )
            alive = writer.is_alive()
        if alive is None:
            age = measure_age(file)
            alive = age is not None and age < STALE_SECONDS
        if not alive:
            file.unlink(missing_ok=True)


def measure_age(file: Path) -> float | None:
    """Return the seconds since a file changed; None if it does not exist.

    Uses the clock of the file system, which may be another machine's.
    """
    with tempfile.TemporaryFile(dir=file.parent) as probe:
        now = os.fstat(probe.fileno()).st_mtime
    try:
        return now - file.stat().st_mtime
    except FileNotFoundError:
        return None


@contextmanager
def explain_write_errors(
    path: str | Path, *, title: str | None = None
) -> Iterator[None]:
    """Name the file and the remedy when a write fails.

    A full disk, a quota, a read-only file system or missing permissions.
    The error keeps its number; errors about other files pass unchanged.

    Args:
        path: File that is written.
        title: Name of the file in the message (default: ``path``).

    Raises:
        OSError: If one of these happens; names ``path``.
    """
    try:
        yield
    except (OSError, RuntimeError) as error:
        number = _find_number(error)
        if number not in _ADVICE or not _concerns(error, Path(path)):
            raise
        raise OSError(
            number,
            f'cannot write {title or path}: {_ADVICE[number]}, then start '
            f'the same command again',
        ) from error


def _find_number(error: OSError | RuntimeError) -> int | None:
    """Return the number of an error, also where a library hides it."""
    cause: BaseException | None = error
    while cause is not None:
        if isinstance(cause, OSError) and cause.errno is not None:
            return cause.errno
        # ndarray.tofile and torch.save say how much they wrote, but not why
        # they stopped; the disk or a quota is full.
        if _SHORT_WRITE.search(str(cause)):
            return errno.ENOSPC
        cause = cause.__cause__ or cause.__context__
    return None


def _concerns(error: OSError | RuntimeError, path: Path) -> bool:
    """Return whether an error is about a file that is being written."""
    if getattr(error, 'filename', None) is None:  # of an open file
        return True
    named = Path(os.fsdecode(error.filename))  # type: ignore[union-attr]
    is_temporary = named.parent == path.parent and named.suffix == '.tmp'
    return is_temporary or named == path or named in path.parents


def _shorten(name: str) -> str:
    """Return the first characters of a name, at most 100 bytes long."""
    return os.fsencode(name)[:100].decode(errors='ignore')


@cache
def _identify_self(pid: int) -> ProcessId:
    return identify_process(pid)

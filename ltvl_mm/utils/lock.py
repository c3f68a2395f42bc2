"""Locks of output folders: one command at a time writes to a folder.

``<folder>/.lock`` is a small JSON file that names the process which writes.
It is created with a hard link, which is atomic on local and on shared file
systems, and removed at the end. Nothing depends on flock.

A lock whose process has died is taken over:

- Same machine (host name, boot and PID namespace): the process does not
  exist any more, or its number belongs to a process that started later.
- Another machine: the file has not been touched for STALE_SECONDS. The
  owner touches it every BEAT_SECONDS. Both times are those of the file
  system, so clocks of machines need not agree.
"""

import functools
import inspect
import os
import shlex
import sys
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import replace
from datetime import datetime, timezone
from functools import cache
from pathlib import Path
from typing import ParamSpec, TypeVar

from ltvl_mm.utils.lock_files import (
    Owner,
    remove_own,
    try_link,
    write_draft,
)
from ltvl_mm.utils.processes import identify_process
from ltvl_mm.utils.remote_paths import as_path, is_remote
from ltvl_mm.utils.temporaries import (
    LOCK,
    STALE_SECONDS,
    explain_write_errors,
    remove_temporaries,
)

BEAT_SECONDS = 30
POLL_SECONDS = 0.5


class LockedError(ValueError):
    """Another process writes to the folder or file."""


class FolderLock:
    """A lock that this process holds.

    Args:
        path: The lock file.
        owner: Its content.
        is_new: True if the folder was created for the lock; it is removed with
            the lock if nothing was written to it.
    """

    def __init__(
        self, path: Path, owner: Owner, *, is_new: bool = False
    ) -> None:
        self.path = path
        self.owner = owner
        self.is_new = is_new
        self._stop = threading.Event()
        threading.Thread(target=self._beat, daemon=True).start()

    def set_children(self, pids: Iterable[int]) -> None:
        """Keep the lock also as long as child processes run.

        Args:
            pids: Numbers of the children; they replace earlier ones.
        """
        children = [identify_process(pid) for pid in pids]
        processes = (self.owner.processes[0], *children)
        self.owner = replace(self.owner, processes=processes)
        draft = write_draft(self.path, self.owner)
        os.replace(draft, self.path)

    def release(self) -> None:
        """Remove the lock file, unless another process has taken it over."""
        self._stop.set()
        remove_own(self.path, self.owner)
        if self.is_new:
            with suppress(OSError):  # not empty
                self.path.parent.rmdir()

    def _beat(self) -> None:
        while not self._stop.wait(BEAT_SECONDS):
            try:
                os.utime(self.path)
            except OSError:  # the folder is away; try again
                continue


_P = ParamSpec('_P')
_R = TypeVar('_R')

# (process, thread, lock file) -> lock, so that a function which locks its
# folder may call another one which does. A forked child holds nothing.
_HELD: dict[tuple[int, int, Path], FolderLock | None] = {}


@contextmanager
def locked_folder(
    folder: str | Path, *, wait: Callable[[str], object] | None = None
) -> Iterator[FolderLock | None]:
    """Hold the lock of an output folder, and clean up after killed writers.

    Rank 0 takes the lock for its process group; if it cannot, all ranks
    raise. The folder is created if it is missing. Nested calls of one
    thread for one folder take the lock once.

    A remote folder has no lock, because object stores have none in common;
    this is logged. Two runs with equal settings write equal objects.

    Args:
        folder: Output folder.
        wait: Function that prints a sentence; the call then waits for the
            other process to end. None to raise at once.

    Yields:
        The lock on rank 0, None on other ranks.

    Raises:
        LockedError: If another process writes to the folder; names it.
    """
    if is_remote(folder):
        _tell_of_no_lock(str(folder))
        yield None
        return
    with _hold(as_path(folder) / LOCK, str(folder), wait) as lock:
        if lock is not None:
            remove_temporaries(folder)
            # Left by processes that died while they took over a lock.
            for guard in Path(folder).glob(f'{LOCK}-*'):
                guard.unlink(missing_ok=True)
        yield lock


@contextmanager
def locked_file(file: str | Path | None) -> Iterator[None]:
    """Hold the lock of one output file, for folders that several share.

    Args:
        file: Output file; None locks nothing.

    Raises:
        LockedError: If another process writes the file; names it.
    """
    if file is None or is_remote(file):  # an upload replaces it as a whole
        yield
        return
    path = as_path(file)
    lock = path.with_name(f'.{path.name[:200]}{LOCK}')
    with _hold(lock, str(file), None) as held:
        if held is not None:
            remove_temporaries(path.parent, name=path.name)
        yield


@cache
def _tell_of_no_lock(folder: str) -> None:
    from mmengine.logging import print_log

    print_log(
        f'{folder} is not locked, because object stores have no locks: do '
        f'not start a second command that writes to it',
        'current',
    )


@contextmanager
def _hold(
    path: Path, title: str, wait: Callable[[str], object] | None
) -> Iterator[FolderLock | None]:
    key = (os.getpid(), threading.get_ident(), path.resolve())
    if key in _HELD:
        yield _HELD[key]
        return
    lock = _take_once(lambda: _take(path, title, wait))
    _HELD[key] = lock
    try:
        yield lock
    finally:
        del _HELD[key]
        # A forked child that leaves this block does not own the lock.
        if lock is not None and key[0] == os.getpid():
            lock.release()


def _take_once(take: Callable[[], FolderLock]) -> FolderLock | None:
    """Take a lock on rank 0; raise on all ranks if that fails."""
    if 'torch' not in sys.modules:  # no process group; torch loads slowly
        return take()
    from mmengine.dist import get_rank

    from ltvl_mm.utils.launch import broadcast_object

    lock, fault = None, None
    if get_rank() == 0:
        try:
            lock = take()
        except (LockedError, OSError) as error:
            fault = error
    # Without this, other ranks would wait for rank 0 in vain.
    message = broadcast_object(fault and str(fault))
    if message is not None:
        raise fault or LockedError(message)
    return lock


def _take(
    path: Path, title: str, wait: Callable[[str], object] | None
) -> FolderLock:
    with explain_write_errors(path):
        is_new = not path.parent.exists()
        path.parent.mkdir(parents=True, exist_ok=True)
        owner = Owner(
            os.urandom(8).hex(),
            (identify_process(),),
            datetime.now(timezone.utc).isoformat(timespec='seconds'),
            shlex.join(sys.argv)[:200],
        )
        draft = write_draft(path, owner)
    told = False
    try:
        while (other := try_link(draft, path)) is not None:
            if wait is None:
                raise LockedError(_describe(other, path, title))
            if not told:
                wait(f'waiting for another process: {title} is locked')
                told = True
            time.sleep(POLL_SECONDS)
    except BaseException:  # Ctrl-C in a notebook, which lives on
        remove_own(path, owner)
        raise
    finally:
        draft.unlink(missing_ok=True)
    return FolderLock(path, owner, is_new=is_new)


def _describe(owner: Owner, path: Path, title: str) -> str:
    writer = next(
        (one for one in owner.processes if one.is_alive() is not False),
        owner.processes[0],
    )
    text = (
        f'{title} is being written by process {writer.pid} on {writer.host} '
        f'since {owner.since} ({owner.command}); wait until it ends or '
        f'choose another output'
    )
    if writer.is_alive() is None:
        text += (
            f'. This machine cannot see that process: if it has died, the '
            f'lock expires {STALE_SECONDS // 60} minutes after its last sign '
            f'of life, or delete {path}'
        )
    return text


def locks_output(
    *names: str, lock: Callable = locked_folder
) -> Callable[[Callable[_P, _R]], Callable[_P, _R]]:
    """Return a decorator that holds the lock of a function's output.

    Args:
        names: Parameters; the first that is not None is the output folder.
        lock: :func:`locked_file` if it is a file.
    """

    def decorate(function: Callable[_P, _R]) -> Callable[_P, _R]:
        signature = inspect.signature(function)

        @functools.wraps(function)
        def call(*args: _P.args, **kwargs: _P.kwargs) -> _R:
            bound = signature.bind(*args, **kwargs)
            bound.apply_defaults()
            given = [bound.arguments[name] for name in names]
            with lock(next((one for one in given if one is not None), None)):
                return function(*args, **kwargs)

        return call

    return decorate

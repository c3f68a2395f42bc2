"""Lock files: who writes, and how a dead writer's file is taken over."""

import json
import os
import re
from dataclasses import dataclass
from pathlib import Path

from ltvl_mm.utils.processes import ProcessId
from ltvl_mm.utils.temporaries import (
    STALE_SECONDS,
    create_temporary,
    measure_age,
)


@dataclass(frozen=True)
class Owner:
    """Content of a lock file.

    Args:
        token: Random word; tells locks of one process apart.
        processes: Processes that write; the first took the lock.
        since: When it was taken, ISO 8601 in UTC.
        command: Command line of the first process.
    """

    token: str
    processes: tuple[ProcessId, ...]
    since: str
    command: str

    def is_alive(self, age: float) -> bool:
        """Return whether a process of the owner may still write.

        Args:
            age: Seconds since the lock file was touched.
        """
        for process in self.processes:
            alive = process.is_alive()
            if alive or (alive is None and age < STALE_SECONDS):
                return True
        return False

    def encode(self) -> bytes:
        """Return the content of the lock file."""
        content = {
            'token': self.token,
            'processes': [process.to_json() for process in self.processes],
            'since': self.since,
            'command': self.command,
        }
        return json.dumps(content).encode()


def try_link(draft: Path, path: Path) -> Owner | None:
    """Make ``path`` a link to ``draft``; return the live owner if it fails.

    Of several processes that find the same dead owner, one removes its
    file: the one that holds a second lock, named after the dead owner's
    token. It looks again under that lock, so that no process removes the file
    of a new owner.
    """
    while not _link(draft, path):
        owner, age = read_owner(path), measure_age(path)
        if owner is None or age is None:
            continue  # released in between
        if owner.is_alive(age):
            return owner
        guard = path.with_name(f'{path.name}-{owner.token}')
        other = try_link(draft, guard)
        if other is not None:
            return other
        try:
            if read_owner(path) == owner:
                path.unlink()
        finally:
            guard.unlink(missing_ok=True)
    return None


def _link(draft: Path, path: Path) -> bool:
    """Create ``path`` with the content of a draft; False if it exists."""
    try:
        os.link(draft, path)
    except FileExistsError:
        # NFS may repeat a request that has succeeded.
        try:
            return os.path.samefile(draft, path)
        except FileNotFoundError:
            return False
    except OSError:  # a file system without hard links
        try:
            handle = os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY)
        except FileExistsError:
            return False
        with os.fdopen(handle, 'wb') as file:
            file.write(draft.read_bytes())
    return True


def write_draft(path: Path, owner: Owner) -> Path:
    """Write the content of a lock file beside it; return the new file."""
    handle, draft = create_temporary(path)
    with os.fdopen(handle, 'wb') as file:
        file.write(owner.encode())
    os.chmod(draft, 0o644)  # other users read who holds it
    return draft


def remove_own(path: Path, owner: Owner) -> None:
    """Remove a lock file if it is still the owner's."""
    found = read_owner(path)
    if found is not None and found.token == owner.token:
        path.unlink(missing_ok=True)


def read_owner(path: Path) -> Owner | None:
    """Return the content of a lock file; None if it does not exist."""
    try:
        data, changed = path.read_bytes(), path.stat().st_mtime_ns
    except FileNotFoundError:
        return None
    try:
        content = json.loads(data)
        processes = [ProcessId(**one) for one in content['processes']]
        owner = Owner(**{**content, 'processes': tuple(processes)})
        # The token becomes a part of a file name.
        if re.fullmatch('[0-9a-f]{16}', owner.token) and owner.processes:
            return owner
    except (ValueError, TypeError, KeyError):
        pass
    # Being written, on a file system without hard links; or not ours.
    unknown = ProcessId('an unknown host', '', 0, 0)
    return Owner(f'unknown{changed}', (unknown,), 'an unknown time', '')

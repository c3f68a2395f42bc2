"""Identity of processes, to recognize the files of dead ones."""

import hashlib
import os
import socket
from collections.abc import Callable
from dataclasses import asdict, dataclass
from functools import cache
from pathlib import Path


@dataclass(frozen=True)
class ProcessId:
    """A process, told apart from later ones with the same number.

    Args:
        host: Host name.
        machine: Hash of host name, boot and PID namespace. Two containers
            on one machine differ, and so does a machine after a reboot.
        pid: Process number.
        start: Start time in clock ticks since boot; 0 where the system
            does not tell (no /proc).
    """

    host: str
    machine: str
    pid: int
    start: int

    def is_alive(self) -> bool | None:
        """Return whether the process runs; None if it is elsewhere."""
        if self.machine != _identify_machine():
            return None
        try:
            os.kill(self.pid, 0)
        except ProcessLookupError:
            return False
        except PermissionError:  # of another user
            pass
        state, start = _read_stat(self.pid)
        return state not in ('Z', 'X') and start == self.start

    def to_json(self) -> dict:
        """Return the fields as a JSON-like value."""
        return asdict(self)


def identify_process(pid: int | None = None) -> ProcessId:
    """Return the identity of a process of this machine.

    Args:
        pid: Process number; None for the calling process.
    """
    pid = os.getpid() if pid is None else pid
    return ProcessId(
        socket.gethostname(), _identify_machine(), pid, _read_stat(pid)[1]
    )


@cache
def _identify_machine() -> str:
    parts = [socket.gethostname()]
    readers: tuple[Callable[[], str], ...] = (
        lambda: Path('/proc/sys/kernel/random/boot_id').read_text(),
        lambda: os.readlink('/proc/self/ns/pid'),
    )
    for read in readers:
        try:
            parts.append(read().strip())
        except OSError:  # not Linux
            parts.append('')
    return hashlib.sha256('\n'.join(parts).encode()).hexdigest()[:16]


def _read_stat(pid: int) -> tuple[str, int]:
    """Return state and start time of a process; '' and 0 if unknown."""
    try:
        text = Path(f'/proc/{pid}/stat').read_text(errors='replace')
    except OSError:
        return '', 0
    # The second field is the program's name, which may hold any character.
    fields = text.rpartition(')')[2].split()
    return fields[0], int(fields[19])

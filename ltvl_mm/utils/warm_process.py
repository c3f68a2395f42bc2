"""Start Python scripts without the seconds of their imports."""

import json
import os
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import IO, cast

from ltvl_mm.utils.stage_runner import QUIET, prepare_log

_SERVER = 'ltvl_mm.utils.warm_server'


class WarmProcess:
    """A process that has imported modules and runs scripts in forks of it.

    A script is run as ``python SCRIPT ARGUMENTS`` would run it, with a
    working directory, variables and a log of its own. Use as a context
    manager; scripts that still run at the end go on.

    Args:
        modules: Names of the modules, e.g. ``['torch']``.
        environment: Variables besides the present ones, which the imports
            see; torch reads the number of its threads then.
    """

    def __init__(
        self, modules: Sequence[str], environment: Mapping[str, str]
    ) -> None:
        self._process = subprocess.Popen(
            [sys.executable, '-m', _SERVER, *modules],
            env=QUIET | os.environ | dict(environment),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            bufsize=0,
        )
        self._requests = cast(IO[bytes], self._process.stdin)
        self._replies = cast(IO[bytes], self._process.stdout)
        self._ended: dict[int, tuple[int, float]] = {}
        self._answers = b''
        self._started: list[int] = []
        self._is_ready = False

    def __enter__(self) -> 'WarmProcess':
        return self

    def __exit__(self, *error: object) -> None:
        self._requests.close()
        self._process.wait()
        self._replies.close()

    def can_run(self, command: Sequence[str]) -> bool:
        """Return whether a command is a script that can start now.

        Args:
            command: Program and arguments; the program is this interpreter.
                Before the imports are done it is faster to start it anew.
        """
        is_script = (
            len(command) > 1
            and command[0] == sys.executable
            and command[1].endswith('.py')
        )
        if is_script and not self._is_ready:
            self._read(wait=False)
        return is_script and self._is_ready

    def start(
        self,
        words: Sequence[str],
        log: Path,
        environment: Mapping[str, str],
        *,
        cwd: Path,
        log_errors: bool,
    ) -> int:
        """Start a script, when the imports are done; return its process id.

        Args:
            words: Script and arguments.
            log: File that the output is appended to.
            environment: Variables besides those of the server.
            cwd: Working directory.
            log_errors: True to log errors as well.

        Raises:
            RuntimeError: If the server has ended.
        """
        prepare_log(log)
        request = {
            'script': words[0],
            'arguments': list(words[1:]),
            'log': str(log),
            'log_errors': log_errors,
            'cwd': str(cwd),
            'environment': dict(environment),
        }
        self._requests.write(json.dumps(request).encode() + b'\n')
        while not self._started:
            self._read(wait=True)
        return self._started.pop()

    def find_end(self, pid: int) -> tuple[int, float] | None:
        """Return exit status and processor seconds; None while it runs.

        Args:
            pid: Process id of a script.
        """
        self._read(wait=False)
        return self._ended.pop(pid, None)

    def _read(self, *, wait: bool) -> None:
        """Take in the answers of the server.

        Args:
            wait: True to wait for one.
        """
        os.set_blocking(self._replies.fileno(), wait)
        answers = self._replies.read(1 << 16)
        if answers is None:
            return  # there are none
        if not answers:
            raise RuntimeError(
                f'the process that starts scripts ({_SERVER}) has ended; '
                'its error is above'
            )
        *lines, self._answers = (self._answers + answers).split(b'\n')
        for line in lines:
            kind, *values = json.loads(line)
            if kind == 'ready':
                self._is_ready = True
            elif kind == 'started':
                self._started.append(values[0])
            else:
                pid, status, seconds = values
                self._ended[pid] = (status, seconds)

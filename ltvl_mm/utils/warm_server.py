"""A process that imports modules once and then runs scripts in forks of it.

``python -m ltvl_mm.utils.warm_server MODULE ...`` reads a request a line from
its standard input, JSON with ``script``, ``arguments``, ``log``,
``log_errors``, ``cwd`` and ``environment``. It answers on its standard output:
``["ready"]`` when the imports are done, ``["started", PID]`` to each request,
and ``["ended", PID, STATUS, SECONDS]`` when a script has ended, with its exit
status (negative: a signal) and its processor time. It ends with its standard
input; scripts that still run go on.

A script runs as ``python SCRIPT ARGUMENTS`` would, but modules that it imports
may be there already. It is forked from a process that has one thread.
"""

import gc
import importlib
import json
import os
import runpy
import select
import signal
import sys
from pathlib import Path

POLL_SECONDS = 0.05


def main() -> None:
    """Import modules, answer requests, and in a fork run the script."""
    # Ctrl-C reaches all processes: who started this one ends it.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    for name in sys.argv[1:]:
        importlib.import_module(name)
    gc.freeze()  # so that no collection copies the pages that forks share
    _answer('ready')
    request = _serve()
    if request is not None:
        # In the fork, which then ends as any Python program does.
        _run(request)


def _serve() -> dict | None:
    """Answer requests; return None at their end, in a fork its request."""
    while True:
        ready, _, _ = select.select([0], [], [], POLL_SECONDS)
        if ready:
            line = _read_line()
            if not line:
                return None
            request = json.loads(line)
            pid = os.fork()
            if not pid:
                return request
            _answer('started', pid)
        _report_ended()


def _report_ended() -> None:
    while True:
        try:
            pid, status, usage = os.wait4(-1, os.WNOHANG)
        except ChildProcessError:
            return  # there are none
        if not pid:
            return
        _answer(
            'ended',
            pid,
            os.waitstatus_to_exitcode(status),
            usage.ru_utime + usage.ru_stime,
        )


def _read_line() -> bytes:
    """Read a line byte by byte: what is buffered, select does not see."""
    line = b''
    while not line.endswith(b'\n'):
        byte = os.read(0, 1)
        if not byte:
            return b''
        line += byte
    return line


def _answer(*words: object) -> None:
    os.write(1, json.dumps(words).encode() + b'\n')


def _run(request: dict) -> None:
    log = os.open(
        request['log'], os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o666
    )
    nothing = os.open(os.devnull, os.O_RDONLY)
    os.dup2(nothing, 0)
    os.dup2(log, 1)
    if request['log_errors']:
        os.dup2(log, 2)
    os.close(nothing)
    os.close(log)
    signal.signal(signal.SIGINT, signal.default_int_handler)
    os.chdir(request['cwd'])
    os.environ.update(request['environment'])
    script = Path(request['script']).absolute()
    sys.argv = [request['script'], *request['arguments']]
    # In place of what python -m put there.
    sys.path[0] = str(script.parent)
    runpy.run_path(str(script), run_name='__main__')


if __name__ == '__main__':
    main()

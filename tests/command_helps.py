"""What --help of the commands prints."""

import json
import subprocess
import sys
from collections.abc import Iterable

from small_inputs import ROOT

# Prints, for each command, exit status and the heavy modules that were
# imported for its help.
RUNNER = """
import contextlib, io, json, os, runpy, sys
heavy = set(sys.argv[1].split(','))
for command in sys.argv[2:]:
    sys.argv = [command, '--help']
    paths = list(sys.path)
    sys.path.insert(0, os.path.abspath(os.path.dirname(command)))
    before = set(sys.modules)
    said = io.StringIO()
    try:
        with contextlib.redirect_stdout(said):
            runpy.run_path(command, run_name='__main__')
        status = None
    except SystemExit as end:
        status = end.code
    new = set(sys.modules) - before
    sys.path[:] = paths
    # Files beside a command, of which two may have one name.
    for name in new:
        file = getattr(sys.modules[name], '__file__', None) or ''
        if '/tools/' in file or '/projects/' in file:
            del sys.modules[name]
    print(json.dumps([command, status, sorted(new & heavy), said.getvalue()]))
"""


def read_helps(
    commands: Iterable[str], heavy: Iterable[str] = ()
) -> dict[str, list]:
    """Return exit status, heavy modules and text of each command's --help.

    Args:
        commands: Paths of scripts, relative to the repository.
        heavy: Names of modules that are listed if a help imports them.
    """
    done = subprocess.run(
        [sys.executable, '-c', RUNNER, ','.join(heavy), *commands],
        cwd=ROOT,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    rows = [json.loads(line) for line in done.stdout.splitlines()]
    return {command: rest for command, *rest in rows}

"""Tools that run in the process of a test."""

import contextlib
import io
import os
import runpy
import sys
from pathlib import Path

from conftest import ROOT


def run_tool_here(name, *arguments):
    """Run a tool in this process, as its command line does."""
    before = sys.argv
    sys.argv = [name, *map(str, arguments)]
    try:
        runpy.run_path(str(ROOT / 'tools' / name), run_name='__main__')
    finally:
        sys.argv = before


def run_python_here(script, *arguments, status=0):
    """Run a script as ``python SCRIPT ARGUMENTS``, without its imports' time.

    What a process of its own would start with, such as loggers and the
    environment, is new for the script and restored after it.

    Returns:
        What it printed.
    """
    data = io.BytesIO()
    # As the streams of a process: some tools change how theirs encodes.
    log = io.TextIOWrapper(data, encoding='utf-8', write_through=True)
    with (
        _fresh_state(script, arguments),
        contextlib.redirect_stdout(log),
        contextlib.redirect_stderr(log),
    ):
        found = _run(script)
    text = data.getvalue().decode()
    assert found == status, text[-4000:]
    return text


def _run(script):
    """Return the exit status."""
    try:
        runpy.run_path(str(script), run_name='__main__')
    except SystemExit as end:
        if isinstance(end.code, str):
            print(end.code, file=sys.stderr)
            return 1
        return end.code or 0
    return 0


@contextlib.contextmanager
def _fresh_state(script, arguments):
    argv, path, environment = sys.argv, sys.path, dict(os.environ)
    sys.argv = [str(script), *map(str, arguments)]
    sys.path = [str(Path(script).resolve().parent), *path]
    instances = _take_instances()
    modules = set(sys.modules)
    try:
        yield
    finally:
        # Projects have modules of the same names, such as summary.
        for name in set(sys.modules) - modules:
            file = getattr(sys.modules[name], '__file__', None) or ''
            if Path(file).resolve().is_relative_to(ROOT / 'projects'):
                del sys.modules[name]
        sys.argv, sys.path = argv, path
        os.environ.clear()
        os.environ.update(environment)
        _take_instances()
        for kept, before in instances.items():
            kept._instance_dict.update(before)


def _take_instances():
    """Empty mmengine's registers of loggers and the like; return them."""
    from mmengine.utils import ManagerMixin

    taken = {}
    classes = ManagerMixin.__subclasses__()
    for kind in classes:
        classes.extend(kind.__subclasses__())
        taken[kind] = dict(kind._instance_dict)
        kind._instance_dict.clear()
    return taken

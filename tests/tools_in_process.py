"""Tools that run in the process of a test."""

import contextlib
import importlib
import io
import os
import runpy
import sys
from pathlib import Path

from small_inputs import ROOT


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


@contextlib.contextmanager
def fresh_modules(folder):
    """Import modules beside a script or of a project as a new process does.

    Projects have modules of the same names, such as summary: those of others
    are set aside, and those imported within are gone after it.

    Args:
        folder: Folder that is first on the import path.
    """
    path = list(sys.path)
    aside = _take_modules()
    sys.path.insert(0, str(Path(folder).resolve()))
    importlib.invalidate_caches()
    try:
        yield
    finally:
        _take_modules()
        sys.modules.update(aside)
        sys.path[:] = path


def _take_modules():
    """Remove the modules of tools and projects; return them by name."""
    found = {}
    for name, module in list(sys.modules.items()):
        file = Path(getattr(module, '__file__', None) or '')
        for folder in {'tools', 'projects'}.intersection(file.parts):
            # Resolved, for some tests run in a folder with links to these.
            if file.resolve().is_relative_to(ROOT / folder):
                found[name] = sys.modules.pop(name)
    return found


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
    argv, environment = sys.argv, dict(os.environ)
    sys.argv = [str(script), *map(str, arguments)]
    instances = _take_instances()
    try:
        with fresh_modules(Path(script).resolve().parent):
            yield
    finally:
        sys.argv = argv
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

"""Tools that run in the process of a test."""

import runpy
import sys

from conftest import ROOT


def run_tool_here(name, *arguments):
    """Run a tool in this process, as its command line does."""
    before = sys.argv
    sys.argv = [name, *map(str, arguments)]
    try:
        runpy.run_path(str(ROOT / 'tools' / name), run_name='__main__')
    finally:
        sys.argv = before

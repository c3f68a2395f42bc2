"""Modules of projects that have the same name do not mix in one process."""

import importlib
import sys

import pytest
from small_inputs import ROOT
from tools_in_process import fresh_modules

PROJECTS = ROOT / 'projects'


def test_each_project_has_its_own_modules():
    path = list(sys.path)
    with fresh_modules(PROJECTS / 'long_tail_methods'):
        outer = importlib.import_module('summary')
        with fresh_modules(PROJECTS / 'paper_tables'):
            inner = importlib.import_module('summary')
        assert sys.modules['summary'] is outer
    assert [module.__file__ for module in (outer, inner)] == [
        str(PROJECTS / name / 'summary.py')
        for name in ('long_tail_methods', 'paper_tables')
    ]
    assert not {'summary', 'methods', 'regime'}.intersection(sys.modules)
    assert sys.path == path


def test_an_error_leaves_nothing_behind():
    project = fresh_modules(PROJECTS / 'paper_tables')
    with pytest.raises(ValueError, match='got 8'), project:
        importlib.import_module('rows').load_rows(8)
    assert 'rows' not in sys.modules

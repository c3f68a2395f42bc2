"""The summary of projects/long_tail_methods reads runs that were killed."""

import importlib.util
from pathlib import Path

import pytest

FILE = Path(__file__).parents[2] / 'projects/long_tail_methods/summary.py'


@pytest.fixture(scope='module')
def summary():
    spec = importlib.util.spec_from_file_location('methods_summary', FILE)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def write_lines(folder, *lines):
    file = folder / '20260101_000000/vis_data/scalars.json'
    file.parent.mkdir(parents=True)
    file.write_text('\n'.join(lines))


def test_a_line_that_a_kill_cut_off_is_left_out_and_counted(
    summary, tmp_path, capsys
):
    write_lines(
        tmp_path,
        '{"loss": 3.0, "time": 0.5, "step": 50}',
        '{"shot/all": 20.0, "time": 9.0, "step": 1}',  # of validation
        '{"loss": 2.0, "time": 1.5, "step": 99}',
        '{"loss": 1.0, "ti',
    )
    assert summary._measure_epoch(tmp_path) == summary.EPOCH * 1.0
    assert capsys.readouterr().out.startswith('1 broken lines of')


def test_a_run_without_a_whole_line_says_so(summary, tmp_path):
    write_lines(tmp_path, '{"loss": 1.0, "ti')
    with pytest.raises(ValueError, match='no line with loss and time; train'):
        summary._measure_epoch(tmp_path)

"""Errors of tools: one sentence for users, a traceback for bugs."""

import ast
import logging
import subprocess
import sys
from pathlib import Path

import pytest

from ltvl_mm.utils import lock
from ltvl_mm.utils.command_line import run_command
from ltvl_mm.utils.text import read_text

ROOT = Path(__file__).parents[2]
TOOLS = sorted(
    path
    for folder in ('tools', 'projects')
    for path in (ROOT / folder).rglob('*.py')
    if "__name__ == '__main__'" in path.read_text(encoding='utf-8')
)


@pytest.fixture(autouse=True)
def argv(monkeypatch):
    monkeypatch.setattr(sys, 'argv', ['tool.py', 'word'])


def raise_on_purpose():
    raise ValueError('seeds must be unique')


def raise_with_odd_name():
    raise ValueError('\x1b[2J\udcff\u202e.jpg of é 中 is odd')


def log_odd_name():
    logging.getLogger('odd').warning('left out: \x1b[2J\u2028.jpg\n\tof é')


def raise_in_package():
    read_text('missing.txt')


def raise_wrapped():
    # As mmengine's registries do.
    try:
        raise_in_package()
    except ValueError as error:
        namespace = {'error': error}
        exec("raise ValueError(f'class X: {error}')", namespace)


def open_missing():
    with open('missing.txt'):
        pass


@pytest.mark.parametrize(
    ('main', 'message'),
    [
        (raise_on_purpose, 'seeds must be unique'),
        (
            raise_with_odd_name,
            r'\\x1b\[2J\\udcff\\u202e\.jpg of é 中 is odd',
        ),
        (raise_in_package, 'missing.txt does not exist'),
        (raise_wrapped, 'class X: missing.txt does not exist'),
        (open_missing, 'missing.txt: No such file or directory'),
    ],
)
def test_errors_for_users_are_one_sentence(main, message, tmp_path):
    with pytest.raises(SystemExit, match=message) as caught:
        run_command(main)
    assert '\n' not in str(caught.value)


def test_log_lines_do_not_act_on_the_terminal(caplog):
    before = logging.getLogRecordFactory()
    run_command(log_odd_name)
    assert caplog.messages == ['left out: \\x1b[2J\\u2028.jpg\n\tof é']
    assert logging.getLogRecordFactory() is before


@pytest.mark.parametrize(
    'main', [lambda: int('x'), lambda: lock.replace(1), lambda: {}['a']]
)
def test_bugs_keep_their_traceback(main):
    with pytest.raises((ValueError, TypeError, KeyError)):
        run_command(main)


def test_debug_keeps_the_traceback_and_is_no_argument(monkeypatch):
    seen = []
    monkeypatch.setattr(sys, 'argv', ['tool.py', '--debug', 'word'])
    with pytest.raises(ValueError, match='seeds'):
        run_command(lambda: seen.extend(sys.argv) or raise_on_purpose())
    assert seen == ['tool.py', 'word']


@pytest.mark.parametrize('path', TOOLS, ids=lambda path: path.name)
def test_every_tool_reports_errors_in_this_way(path):
    if path.name == 'reproduce.py':  # runs projects/paper_tables/run.py
        path = ROOT / 'projects/paper_tables/run.py'
    called = ast.unparse(ast.parse(path.read_text(encoding='utf-8')).body[-1])
    assert 'run_command(main)' in called


def test_a_tool_ends_with_one_sentence_and_status_1(tmp_path):
    tool = ROOT / 'tools/dataset_converters/check_lists.py'
    done = subprocess.run(
        [sys.executable, tool, tmp_path / 'missing.txt'],
        capture_output=True,
        text=True,
    )
    assert done.returncode == 1
    assert done.stderr.count('\n') == 1
    assert 'missing.txt: No such file' in done.stderr


RANK = """
import atexit
from torch import distributed, nn, ones
from ltvl_mm.utils.command_line import run_command

def main():
    distributed.init_process_group(
        'gloo', init_method='file://{file}', rank=0, world_size=1
    )
    model = nn.parallel.DistributedDataParallel(nn.Linear(2, 2))
    model(ones(1, 2)).sum().backward()
    atexit.register(lambda: print('group:', distributed.is_initialized()))

run_command(main)
print('the interpreter would be torn down')
"""


def test_a_rank_ends_without_a_teardown_of_the_interpreter(tmp_path):
    code = RANK.format(file=tmp_path / 'rendezvous')
    done = subprocess.run(
        [sys.executable, '-c', code], capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    # Threads of gloo that are still alive abort a teardown now and then.
    assert done.stdout == 'group: False\n'

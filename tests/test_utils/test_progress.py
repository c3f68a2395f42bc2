import time

import pytest

from ltvl_mm.utils import progress
from ltvl_mm.utils.progress import progress_bar


@pytest.fixture
def run(capsys):
    """Function that shows a bar of 30 units, 10 ms each, and returns it."""

    def run_bar(**options):
        with progress_bar(total=30, title='embed', unit='img', **options) as b:
            for _ in range(30):
                time.sleep(0.01)
                b.update()
        shown = capsys.readouterr()
        assert shown.out == ''
        return shown.err

    return run_bar


def test_a_log_gets_whole_lines_one_per_pause(run, monkeypatch):
    monkeypatch.setattr(progress, '_SECONDS_PER_LINE', 0.1)
    text = run()
    assert '\r' not in text
    lines = text.splitlines()
    assert all(line.startswith('embed:') for line in lines)
    assert '0/30' in lines[0]
    assert '30/30' in lines[-1]
    assert 'img/s' in lines[-1]
    # After 0.1 s and 0.2 s, on a machine that may be slow.
    assert 3 <= len(lines) < 15


def test_a_short_work_has_a_line_at_either_end(run):
    assert len(run().splitlines()) == 2


def test_the_pause_is_a_minute(capsys):
    with progress_bar(total=3, title='embed', unit='img') as bar:
        assert bar.mininterval == 60
        # Else another thread of tqdm's prints every 10 s.
        assert bar.maxinterval == 60


def test_a_terminal_gets_a_bar_that_moves(run, monkeypatch):
    monkeypatch.setattr('sys.stderr.isatty', lambda: True)
    text = run()
    assert text.count('\r') > 2
    assert '30/30' in text


def test_all_ranks_but_one_are_silent(run):
    assert run(silent=True) == ''

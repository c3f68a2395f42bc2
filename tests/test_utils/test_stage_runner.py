import sys
from dataclasses import replace

import pytest

from ltvl_mm.utils.lock import locked_folder
from ltvl_mm.utils.stage_runner import (
    ResumableStage,
    StageFolder,
    compute_keys,
    run_stages,
    show_command,
)


@pytest.fixture
def work(tmp_path):
    (tmp_path / 'names.txt').write_text('cat')
    return tmp_path


@pytest.fixture
def run(work):
    """Function that runs stages; returns the lines that were said."""

    def run_all(*stages):
        lines = []
        folder = StageFolder(work, (work,))
        with locked_folder(work) as lock:
            run_stages(stages, folder, lock=lock, say=lines.append)
        return lines

    return run_all


def make(work, name, code='', **how):
    """Return a stage that adds a letter to its output folder's file."""
    out = work / name
    append = (
        f'import os; os.makedirs({str(out)!r}, exist_ok=True); '
        f'open({str(out / "out")!r}, "a").write("x"); {code}'
    )
    return ResumableStage(
        name,
        (sys.executable, '-c', append),
        outputs=(out / 'out',),
        owns=(out,),
        **how,
    )


def count(work, name):
    return len((work / name / 'out').read_text())


def test_a_finished_stage_is_not_run_again(work, run):
    stage = make(work, 'a')
    run(stage)
    assert run(stage) == ['[1/1] a: done before']
    assert count(work, 'a') == 1


def test_stages_after_a_changed_input_are_redone_and_no_others(work, run):
    stages = [
        make(work, 'embed'),
        make(
            work,
            'retrieve',
            inputs=(work / 'names.txt',),
            needs=('embed',),
        ),
        make(work, 'train', needs=('retrieve',)),
        make(work, 'plain', needs=('embed',)),
    ]
    run(*stages)
    (work / 'names.txt').write_text('a cat')
    lines = run(*stages)
    done = [line for line in lines if 'done before' in line]
    assert done == ['[1/4] embed: done before', '[4/4] plain: done before']
    # What they had written is removed first.
    assert count(work, 'retrieve') == count(work, 'train') == 1
    assert sum('begun anew' in line for line in lines) == 2


def test_a_killed_stage_goes_on_with_what_it_wrote(work, run):
    crash = make(work, 'a', 'import os; os._exit(int(os.environ["CODE"]))')
    folder = StageFolder(work, (work,), {'CODE': '9'})
    with (
        locked_folder(work) as lock,
        pytest.raises(RuntimeError, match='"a" failed; log:'),
    ):
        run_stages([crash], folder, lock=lock, say=str)
    folder = replace(folder, environment={'CODE': '0'})
    with locked_folder(work) as lock:
        run_stages([crash], folder, lock=lock, say=str)
    assert count(work, 'a') == 2


def test_missing_outputs_are_made_again(work, run):
    stage = make(work, 'a')
    run(stage)
    (work / 'a/out').unlink()
    run(stage)
    assert count(work, 'a') == 1


def test_an_updated_output_is_kept_unless_reset(work, run):
    store = make(work, 'store', settings='one tar', reset='clip')
    run(store)
    run(replace(store, settings='two tars'))
    assert count(work, 'store') == 2
    run(replace(store, settings='two tars', reset='another clip'))
    assert count(work, 'store') == 2  # the inputs are equal: done before
    run(replace(store, settings='three', reset='another clip'))
    assert count(work, 'store') == 1


def test_what_a_stage_shows_is_printed_each_time(work, run):
    stage = make(work, 'a', show=lambda: 'a table')
    assert run(stage)[-1] == run(stage)[-1] == 'a table'


def test_a_moved_folder_is_not_begun_anew(work):
    stage, folder = make(work, 'a'), StageFolder(work, (work,))
    other = work.with_name('elsewhere')
    moved = make(other, 'a'), StageFolder(other, (other,))
    assert compute_keys([stage], folder) == compute_keys([moved[0]], moved[1])


def test_needs_are_earlier_stages(work):
    with pytest.raises(ValueError, match='not earlier stages'):
        compute_keys([make(work, 'a', needs=('b',))], StageFolder(work))


def test_commands_are_shown_as_they_are_typed(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    command = (sys.executable, str(tmp_path / 'tools/x.py'), 'a b')
    assert show_command(command) == "python tools/x.py 'a b'"

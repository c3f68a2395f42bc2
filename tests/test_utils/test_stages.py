import sys

import pytest

from ltvl_mm.utils.stages import Stage, run_study

COUNT = 'import os; open(os.environ["OUT"], "a").write("x")'


@pytest.fixture
def run(tmp_path):
    lines = []

    def run_commands(*commands, seeds=(0,), last=()):
        lines.clear()
        stages = [
            Stage(f'stage {number}', (sys.executable, '-c', command))
            for number, command in enumerate(commands)
        ]
        run_study(
            tmp_path,
            seeds,
            lambda folder, seed: stages,
            lambda folder: {'OUT': str(tmp_path / 'out')},
            say=lines.append,
            last=[
                Stage('last', (sys.executable, '-c', command))
                for command in last
            ],
        )
        return '\n'.join(lines)

    return run_commands


def test_a_finished_stage_is_not_run_again(run, tmp_path):
    assert '[seed 0, 1/1] stage 0\n' in run(COUNT)
    assert '[seed 0, 1/1] stage 0: done before' in run(COUNT)
    assert (tmp_path / 'out').read_text() == 'x'


def test_another_command_of_the_same_name_is_run(run, tmp_path):
    run(COUNT)
    run(COUNT + ' ')
    assert (tmp_path / 'out').read_text() == 'xx'


def test_each_seed_has_its_own_stages(run, tmp_path):
    run(COUNT, seeds=(0, 1))
    assert (tmp_path / 'out').read_text() == 'xx'


def test_what_comes_last_is_run_once_for_all_seeds_and_each_time(
    run, tmp_path
):
    last = f'open({str(tmp_path / "last")!r}, "a").write("y")'
    for _ in range(2):
        assert run(COUNT, seeds=(0, 1), last=[last]).count('last\n') == 1
    assert (tmp_path / 'out').read_text() == 'xx'
    assert (tmp_path / 'last').read_text() == 'yy'


def test_a_failure_ends_the_study_with_the_end_of_its_log(run, tmp_path):
    with pytest.raises(RuntimeError, match='why it failed\n"stage 0" failed'):
        run('import sys; print("why it failed"); sys.exit(1)', COUNT)
    assert not (tmp_path / 'out').exists()

import os
import signal
import subprocess
import sys
import time

import pytest

from ltvl_mm.utils.processes import identify_process
from ltvl_mm.utils.stages import (
    Stage,
    read_cpu_seconds,
    read_seconds,
    run_study,
)

COUNT = 'import os; open(os.environ["OUT"], "a").write("x")'
# Ends when another command does the same at the same time.
MEET = """
import pathlib, time
pathlib.Path({mine!r}).touch()
while not pathlib.Path({other!r}).exists():
    time.sleep(0.01)
"""
STUDY = """
import sys
from pathlib import Path
from ltvl_mm.utils.stages import Stage, run_study
code = 'import os, time; open(str(os.getpid()), "w"); time.sleep(1.5)'
folder = Path('{0}')
stages = [
    Stage(name, (sys.executable, '-c', code), (), folder) for name in 'ab'
]
run_study(folder, [0], lambda folder, seed: stages, say=print, jobs=2)
"""


def python(name, code, needs=None):
    return Stage(name, (sys.executable, '-c', code), needs)


@pytest.fixture
def run(tmp_path, monkeypatch):
    lines = []
    monkeypatch.setenv('OUT', str(tmp_path / 'out'))

    def run_commands(*commands, seeds=(0,), last=(), **how):
        """Run commands, or whole stages."""
        lines.clear()
        stages = [
            one if isinstance(one, Stage) else python(f'stage {number}', one)
            for number, one in enumerate(commands)
        ]
        run_study(
            tmp_path,
            seeds,
            lambda folder, seed: stages,
            say=lines.append,
            last=[python('last', command) for command in last],
            **how,
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


def test_stages_that_do_not_need_a_failed_one_are_run(run, tmp_path):
    stages = [
        python('bad', 'raise SystemExit(3)', ()),
        python('after bad', COUNT, ('bad',)),
        python('after that', COUNT, ('after bad',)),
        python('good', COUNT, ()),
    ]
    calls = []
    with pytest.raises(RuntimeError, match='2 stages that need it were not'):
        run(*stages, report=lambda: calls.append('x'))
    assert (tmp_path / 'out').read_text() == 'x'
    assert calls == ['x']  # one stage was done


@pytest.mark.parametrize('seeds', [(0,), (0, 1)])
def test_independent_stages_run_side_by_side(run, tmp_path, seeds):
    a, b = str(tmp_path / 'a'), str(tmp_path / 'b')
    threads = 'import os; assert os.environ["OMP_NUM_THREADS"] == "1"'
    said = run(
        python('a', MEET.format(mine=a, other=b), ()),
        python('b', MEET.format(mine=b, other=a), ()),
        python('c', threads, ('a', 'b')),
        seeds=seeds,
        jobs=2,
    )
    assert said.index('3/3] c\n') > said.index('1/3] a: ')
    assert said.count('CPU s') == 3 * len(seeds)


def test_a_stage_waits_for_what_it_needs(run, tmp_path):
    file = str(tmp_path / 'a')
    run(
        python('a', f'import time; time.sleep(.2); open({file!r}, "w")', ()),
        python('b', f'open({file!r})', ('a',)),
        jobs=3,
    )


@pytest.mark.parametrize(
    'stages',
    [
        [python('a', COUNT, ('b',)), python('b', COUNT, ())],
        [python('a', COUNT, ()), python('a', COUNT, ())],
    ],
)
def test_odd_stages_are_refused(run, stages):
    with pytest.raises(ValueError, match='not earlier stages, or its name'):
        run(*stages)


def test_wall_and_processor_time_are_kept(run, tmp_path):
    stage = python('a', 'for _ in range(10_000_000): pass', ())
    run(stage)
    assert read_seconds(stage, tmp_path / 'seed0') > 0
    assert read_cpu_seconds(stage, tmp_path / 'seed0') > 0


def test_a_study_waits_for_all_stages_of_a_killed_one(run, tmp_path):
    study = subprocess.Popen(
        [sys.executable, '-c', STUDY.format(tmp_path)],
        stdout=subprocess.DEVNULL,
    )
    children = wait_for_stages(tmp_path)
    study.kill()
    study.wait()
    assert 'waiting for another process' in run(COUNT)
    assert not any(child.is_alive() for child in children)


def test_an_interrupted_study_ends_its_stages(tmp_path):
    study = subprocess.Popen(
        [sys.executable, '-c', STUDY.format(tmp_path)],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        # A shell that starts tests in the background has SIGINT ignored.
        preexec_fn=lambda: signal.signal(
            signal.SIGINT, signal.default_int_handler
        ),
    )
    children = wait_for_stages(tmp_path)
    os.kill(study.pid, signal.SIGINT)
    study.wait()
    assert not any(child.is_alive() for child in children)


def wait_for_stages(folder):
    """Return the two processes that leave their numbers in a folder."""
    while len(files := list(folder.glob('[0-9]*'))) < 2:
        time.sleep(0.02)
    return [identify_process(int(file.name)) for file in files]

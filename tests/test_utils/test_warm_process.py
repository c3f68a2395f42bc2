import json
import os
import sys
import time

import pytest

from ltvl_mm.utils.stages import Stage, run_study
from ltvl_mm.utils.warm_process import WarmProcess

# A module that neither Python's start nor the server imports.
MODULE = 'wave'
SHOW = f"""
import json, os, sys
print(json.dumps([
    __name__, __file__, sys.argv, os.getcwd(), sys.path[0],
    os.environ['COLOR'], os.environ['SHAPE'], {MODULE!r} in sys.modules,
]), flush=True)
print('an error', file=sys.stderr)
"""


@pytest.fixture
def server():
    with WarmProcess([MODULE], {'COLOR': 'red'}) as server:
        while not server.can_run((sys.executable, 'any.py')):
            time.sleep(0.01)
        yield server


@pytest.fixture
def run(server, tmp_path):
    """Run a script to its end; return exit status and processor seconds."""

    def run_script(code, *arguments, **how):
        script = tmp_path / 'script.py'
        script.write_text(code)
        pid = server.start(
            [str(script), *arguments],
            tmp_path / 'logs/log',
            how.pop('environment', {}),
            cwd=tmp_path,
            log_errors=how.pop('log_errors', True),
        )
        while (end := server.find_end(pid)) is None:
            time.sleep(0.01)
        return end

    return run_script


def test_a_script_runs_as_its_command_would(run, tmp_path):
    status, seconds = run(SHOW, 'a', 'b c', environment={'SHAPE': 'round'})
    assert status == 0
    assert 0 <= seconds < 5
    first, second = (tmp_path / 'logs/log').read_text().splitlines()
    script = str(tmp_path / 'script.py')
    assert json.loads(first) == [
        '__main__',
        script,
        [script, 'a', 'b c'],
        str(tmp_path),
        str(tmp_path),
        'red',
        'round',
        True,
    ]
    assert second == 'an error'


@pytest.mark.parametrize(
    ('code', 'expected'),
    [
        ('import sys; sys.exit(3)', 3),
        ('import sys; sys.exit("words")', 1),
        ('1 / 0', 1),
        ('import os; os.kill(os.getpid(), 9)', -9),
        ('import os; os._exit(0)', 0),
    ],
)
def test_the_exit_status_is_that_of_the_script(run, code, expected):
    assert run(code)[0] == expected


def test_scripts_do_not_see_each_other(run, tmp_path):
    run('import os, sys; os.environ["X"] = "1"; sys.modules["mine"] = sys')
    run('import os, sys; print("X" in os.environ, "mine" in sys.modules)')
    assert (tmp_path / 'logs/log').read_text() == 'False False\n'


def test_what_runs_at_exit_is_run(run, tmp_path):
    run('import atexit; atexit.register(print, "at the end")')
    assert (tmp_path / 'logs/log').read_text() == 'at the end\n'


def test_processor_time_has_that_of_children(run):
    busy = (
        'import subprocess, sys; subprocess.run([sys.executable, "-c", '
        '"import time\\nwhile time.process_time() < 0.3: pass"])'
    )
    assert run(busy)[1] >= 0.3


def test_only_scripts_for_this_interpreter_are_run(server):
    assert server.can_run((sys.executable, 'a.py', 'b'))
    for other in (
        (sys.executable, '-c', 'print()'),
        (sys.executable,),
        ('bash', 'a.py'),
    ):
        assert not server.can_run(other)


def test_a_server_that_has_ended_is_an_error(tmp_path):
    def wait(server):
        while not server.can_run((sys.executable, 'any.py')):
            time.sleep(0.01)

    with WarmProcess(['no_such_module'], {}) as server:
        with pytest.raises(RuntimeError, match='has ended'):
            wait(server)


def test_a_study_runs_its_scripts_in_forks(tmp_path):
    script = tmp_path / 'script.py'
    script.write_text(
        f'import sys; print({MODULE!r} in sys.modules, sys.argv[1])'
    )
    # The first takes as long as the imports.
    wait = Stage('wait', (sys.executable, '-c', 'import time; time.sleep(2)'))
    stages = [wait] + [
        Stage(name, (sys.executable, str(script), name), ('wait',), tmp_path)
        for name in 'ab'
    ]
    lines = []
    run_study(
        tmp_path,
        [0],
        lambda folder, seed: stages,
        say=lines.append,
        jobs=2,
        preload=[MODULE],
    )
    for name in 'ab':
        log = tmp_path / f'seed0/logs/{name}.log'
        assert log.read_text() == f'True {name}\n'
    fails = Stage('c', (sys.executable, str(script)), (), tmp_path)
    with pytest.raises(RuntimeError, match='IndexError'):
        run_study(
            tmp_path,
            [0],
            lambda folder, seed: [*stages, fails],
            say=lines.append,
            jobs=2,
            preload=[MODULE],
        )
    assert '[seed 0, 2/4] a: done before' in lines
    assert not os.path.exists(tmp_path / 'seed0/logs/c.done')

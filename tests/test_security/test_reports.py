"""Run folders of other people are data: the report executes nothing."""

import os
import subprocess
import sys
import zipfile
from pathlib import Path

import numpy as np
import pytest
from leaves import load_leaf
from mmengine.config import Config
from study_folder import COUNTS, write_study

from ltvl_mm.utils.config_text import parse_config
from ltvl_mm.utils.run_config import to_json_value, write_run_config
from ltvl_mm.visualization.report.run_reader import read_run

ROOT = Path(__file__).parents[2]
HOSTILE = {
    'os.system': 'import os\nos.system("touch {mark}")\n',
    'exit': 'import sys\nsys.exit(0)\n',
    'endless loop': 'while True:\n    pass\n',
    'call in a value': 'x = dict(a=__import__("os").system("touch {mark}"))\n',
    'f-string': "x = f\"{{open('{mark}', 'w')}}\"\n",
    'mmengine base': '_base_ = [open("{mark}", "w").name]\n',
    'comprehension': 'x = [open("{mark}", "w") for _ in (1,)]\n',
}


@pytest.fixture
def folder(tmp_path):
    return write_study(tmp_path / 'study')


def run_report(folder, out):
    return subprocess.run(
        [sys.executable, 'tools/report.py', folder, '-o', out],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=120,
    )


@pytest.mark.parametrize('code', HOSTILE.values(), ids=HOSTILE)
def test_code_in_a_config_is_shown_and_never_run(folder, tmp_path, code):
    mark = tmp_path / 'code_ran'
    run = folder / 'seed0/plain'
    (run / 'plain.py').write_text(code.format(mark=mark))
    found = read_run(run, 'plain')
    assert not mark.exists()
    assert found.config == code.format(mark=mark)
    assert 'nothing is executed' in found.missing['config']
    assert found.answers is not None


def test_the_command_writes_the_page_of_a_hostile_folder(folder, tmp_path):
    mark = tmp_path / 'code_ran'
    for name, code in zip(('plain', 'tackle'), HOSTILE.values(), strict=False):
        file = folder / f'seed0/{name}/{name}.py'
        file.write_text(code.format(mark=mark))
    os.mkfifo(folder / 'seed0/tackle/metrics.json')
    done = run_report(folder, tmp_path / 'x.html')
    assert done.returncode == 0, done.stderr
    assert not mark.exists()
    text = (tmp_path / 'x.html').read_text()
    assert 'nothing is executed' in text
    assert 'named pipe' in text


def test_a_folder_of_nothing_but_broken_parts_has_a_page(tmp_path):
    (tmp_path / 'run').mkdir()
    (tmp_path / 'run/test.npz').write_bytes(b'PK')
    done = run_report(tmp_path / 'run', tmp_path / 'x.html')
    assert done.returncode == 0, done.stderr
    assert 'test.npz does not hold probabilities' in (
        (tmp_path / 'x.html').read_text()
    )


@pytest.mark.parametrize(
    ('text', 'values'),
    [
        ('x = -1.5', -1.5),
        ("x = 'a' 'b'", 'ab'),
        ('x = dict(a=(1, ), b=[None, True], c=(2))', None),
        ("x = dict({'.bias': 0}, b=1)", {'.bias': 0, 'b': 1}),
        ("x = {'a': {1, 2}, }", {'a': {1, 2}}),
        ('x = tuple([1]) # text', (1,)),
        ("'''Text.'''\n\nx = list()", []),
    ],
)
def test_literals_are_read_as_python_reads_them(text, values):
    if values is None:
        values = {'a': (1,), 'b': [None, True], 'c': 2}
    assert parse_config(text) == {'x': values}


@pytest.mark.parametrize(
    ('text', 'message'),
    [
        ('x = 1 + 1', r"line 1: found '\+'"),
        ('x = y', "found 'y'"),
        ('x = 1\nx.y = 2', r"line 2: found '\.'"),
        ('x = ' + '[' * 90 + ']' * 90, 'deeper than 50'),
        ('x = ' + '+'.join('1' * 90000), r"found '\+'"),
        ('x = ' + '9' * 5000, 'found'),
        ('x = {[]: 1}', 'found'),
        ('x = dict(', 'incomplete'),
        ('x = 1\n  y = 2', 'found|incomplete'),
    ],
)
def test_all_else_is_refused_by_line_and_word(text, message):
    with pytest.raises(ValueError, match=message):
        parse_config(text)


@pytest.mark.parametrize('name', ['cross_entropy_deit-s', 'paco_rx50'])
def test_a_dump_of_mmengine_is_read_as_mmengine_reads_it(name):
    cfg = load_leaf(name)
    assert parse_config(cfg.pretty_text) == cfg.to_dict()


def test_a_training_leaves_its_config_as_json(folder):
    run = folder / 'seed0/plain'
    cfg = Config.fromfile(run / 'plain.py')
    cfg.work_dir = str(run)
    write_run_config(cfg)
    (run / 'plain.py').write_text('import os')
    found = read_run(run, 'plain')
    assert 'config' not in found.missing
    assert found.counts.tolist() == list(COUNTS)
    assert found.seed == 0
    assert found.config == 'import os'


def test_what_json_cannot_hold_is_a_text():
    plain = to_json_value({'a': (1, float('inf')), 2: int, 'b': {'c': None}})
    assert plain == {'a': [1, 'inf'], '2': "<class 'int'>", 'b': {'c': None}}


def test_a_config_that_links_to_another_file_is_not_shown(folder, tmp_path):
    (tmp_path / 'secret').write_text('my secret')
    run = folder / 'seed0/plain'
    (run / 'plain.py').unlink()
    (run / 'plain.py').symlink_to(tmp_path / 'secret')
    found = read_run(run, 'plain')
    assert 'outside of the run folder' in found.missing['config']
    assert 'secret' not in found.config


def test_little_of_a_file_that_a_config_names_is_quoted(folder, tmp_path):
    (tmp_path / 'secret').write_text('key ' + 'x' * 1000)
    run = folder / 'seed0/plain'
    (run / 'plain.py').write_text(
        f"test_evaluator = dict(type='ltvl_mm.ShotAccuracy', num_classes=4, "
        f'class_counts={str(tmp_path / "secret")!r})\n'
    )
    reasons = ' '.join(read_run(run, 'plain').missing.values())
    assert 'secret' in reasons
    assert 0 < reasons.count('x' * 20)
    assert 'x' * 120 not in reasons


def test_arrays_are_not_larger_than_their_file(tmp_path):
    header = {'descr': '<f4', 'fortran_order': False, 'shape': (10**12, 4)}
    run = write_study(tmp_path / 'study') / 'seed0/plain'
    with zipfile.ZipFile(run / 'test.npz', 'w') as archive:
        with archive.open('probabilities.npy', 'w') as file:
            np.lib.format.write_array_header_1_0(file, header)
    assert 'claims the shape' in read_run(run, 'x').missing['predictions']
    np.savez_compressed(run / 'test.npz', zeros=np.zeros(2 * 10**8, np.int8))
    assert 'expands to' in read_run(run, 'x').missing['predictions']

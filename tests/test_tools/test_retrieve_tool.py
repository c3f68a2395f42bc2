"""The tool as users start it: killed, and under torchrun."""

import json
import random
import subprocess

import pytest
from stress.kill_retrieval import (
    NAMES,
    build_command,
    check_equal,
    run_until_killed,
    write_world,
)


@pytest.fixture(scope='module')
def work(tmp_path_factory):
    folder = tmp_path_factory.mktemp('retrieve')
    write_world(folder, tars=12)
    return folder


@pytest.fixture(scope='module')
def quiet(work, run_tool):
    """Folder of a retrieval that was not killed, in several rounds."""
    log = run_tool(*build_command(work, work / 'quiet'))
    assert f'images retrieved for {len(NAMES)} classes' in log
    assert not (work / 'quiet' / 'selection').exists()
    report = json.loads((work / 'quiet' / 'report.json').read_text())
    assert 'classes, pass 1' in log
    assert 'refused by the filter max_aspect 1.2: 0 images' in log
    assert report['missing'] == 0
    assert report['duplicates'] > 0
    return work / 'quiet'


def test_killed_at_random_moments_it_ends_with_the_same_bytes(
    work, quiet, tmp_path, monkeypatch
):
    monkeypatch.setenv('OMP_NUM_THREADS', '1')
    monkeypatch.setenv('CUDA_VISIBLE_DEVICES', '')
    command = build_command(work, tmp_path)
    rng = random.Random(0)
    for _ in range(5):
        assert run_until_killed(command, tmp_path, rng)
    subprocess.run(command, check=True, capture_output=True, timeout=100)
    check_equal(tmp_path, quiet)
    assert not (tmp_path / 'selection').exists()


@pytest.mark.parametrize('ranks', [2, 3])
def test_ranks_write_the_same_bytes(work, quiet, tmp_path, run_tool, ranks):
    log = run_tool(*build_command(work, tmp_path, ranks=ranks))
    check_equal(tmp_path, quiet)
    assert log.count('images retrieved for') == 1
    assert f'rank 0 of {ranks}' in log

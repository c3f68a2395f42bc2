import hashlib
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from toy_clip import write_toy_classifier

from ltvl_mm.utils.io import read_json

ROOT = Path(__file__).parents[2]
TOOL = 'tools/cache_features.py'


@pytest.fixture
def phase_a(tmp_path):
    return write_toy_classifier(tmp_path / 'phase_a.pth')


def hash_views(folder):
    return {
        path.relative_to(folder).as_posix(): hashlib.sha256(
            path.read_bytes()
        ).hexdigest()
        for path in sorted(folder.rglob('view_*.npy'))
    }


def test_cached_phase_b_trains_and_its_adapter_is_tested_on_images(
    run_tool, phase_a, tmp_path
):
    files = dict(
        LTVL_TOY_PHASE_A=str(phase_a), LTVL_TOY_CACHE=str(tmp_path / 'cache')
    )
    output = run_tool(
        sys.executable,
        TOOL,
        'configs/toy/ballad_b.py',
        '-o',
        tmp_path / 'cache',
        '--views',
        2,
        **files,
    )
    assert '2 views of 172 images, 128 wide' in output
    run_tool(
        sys.executable,
        'tools/train.py',
        'configs/toy/ballad_b_cached.py',
        '--work-dir',
        tmp_path / 'run',
        '--cfg-options',
        'train_cfg.max_epochs=1',
        'train_dataloader.sampler.epoch_size=128',
        **files,
    )
    metrics = {}
    for config in ('ballad_b', 'ballad_b_cached'):
        run_tool(
            sys.executable,
            'tools/test.py',
            f'configs/toy/{config}.py',
            tmp_path / 'run/epoch_1.pth',
            '--work-dir',
            tmp_path / 'test',
            '--out',
            tmp_path / f'{config}.json',
            '--out-item=metrics',
            **files,
        )
        metrics[config] = read_json(tmp_path / f'{config}.json')
    # The adapter's checkpoint is whole in either config.
    assert metrics['ballad_b'] == metrics['ballad_b_cached']


def test_a_killed_run_ends_with_the_same_views(
    run_tool, phase_a, toy_root, tmp_path
):
    command = [sys.executable, TOOL, 'configs/toy/ballad_b.py', '--views=6']
    files = dict(LTVL_TOY_PHASE_A=str(phase_a))
    run_tool(*command, '-o', tmp_path / 'quiet', **files)
    killed = tmp_path / 'killed'
    environment = {
        **os.environ,
        **files,
        'PYTHONPATH': str(ROOT),
        'OMP_NUM_THREADS': '1',
        'LTVL_TOY_ROOT': str(toy_root),
    }
    process = subprocess.Popen(
        [*command, '-o', killed], cwd=ROOT, env=environment
    )
    while len(hash_views(killed)) < 2 and process.poll() is None:
        time.sleep(0.01)
    process.send_signal(signal.SIGKILL)
    process.wait()
    assert 2 <= len(hash_views(killed)) < 8
    run_tool(*command, '-o', killed, **files)
    assert hash_views(killed) == hash_views(tmp_path / 'quiet')
    assert not list(killed.rglob('*.tmp'))


def test_a_cache_of_other_weights_is_refused(run_tool, phase_a, tmp_path):
    cache = tmp_path / 'cache'
    command = [sys.executable, TOOL, 'configs/toy/ballad_b.py', '-o', cache]
    command += ['--views=1', '--splits', 'train', 'val']
    run_tool(*command, LTVL_TOY_PHASE_A=str(phase_a))
    other = write_toy_classifier(tmp_path / 'other.pth', seed=1)
    output = run_tool(*command, status=1, LTVL_TOY_PHASE_A=str(other))
    assert 'Traceback' not in output
    assert 'begun with another weights' in output
    output = run_tool(
        sys.executable,
        'tools/train.py',
        'configs/toy/ballad_b_cached.py',
        '--work-dir',
        tmp_path / 'run',
        status=1,
        LTVL_TOY_PHASE_A=str(other),
        LTVL_TOY_CACHE=str(cache),
    )
    assert 'was made with other weights' in output

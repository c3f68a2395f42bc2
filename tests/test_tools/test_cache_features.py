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


UNCACHED = 'configs/toy/ballad/ballad_b.py'
CACHED = 'configs/toy/ballad/ballad_b_cached.py'


@pytest.fixture(scope='module')
def phase_a(tmp_path_factory):
    folder = tmp_path_factory.mktemp('phase_a')
    return write_toy_classifier(folder / 'phase_a.pth')


def use_weights(file):
    """Return options that put the weights of phase A into phase B."""
    return (
        '--cfg-options',
        f'model.backbone.pretrained={file}',
        f'model.head.pretrained={file}',
    )


def use_cache(file, cache):
    """Return options that put weights and a cache into a cached phase B."""
    return (
        '--cfg-options',
        f'model.head.pretrained={file}',
        *(
            option
            for split in ('train', 'val', 'test')
            for option in (
                f'{split}_dataloader.dataset.root={cache}/{split}',
                f'{split}_dataloader.dataset.backbone.pretrained={file}',
            )
        ),
    )


def hash_views(folder):
    return {
        path.relative_to(folder).as_posix(): hashlib.sha256(
            path.read_bytes()
        ).hexdigest()
        for path in sorted(folder.rglob('view_*.npy'))
    }


def test_cached_phase_b_trains_and_its_adapter_is_tested_on_images(
    run_here, toy_root, phase_a, tmp_path
):
    cache = tmp_path / 'cache'
    weights, cached = use_weights(phase_a), use_cache(phase_a, cache)
    output = run_here(
        'python', TOOL, UNCACHED, '-o', cache, '--views', 2, *weights
    )
    rows = len((toy_root / 'train.txt').read_text().splitlines())
    assert f'2 views of {rows} images, 128 wide' in output
    run_here(
        *('python', 'tools/train.py', CACHED, '--work-dir', tmp_path / 'run'),
        *(*cached, 'train_cfg.max_epochs=1'),
        *('train_cfg.val_interval=1', 'default_hooks.checkpoint.interval=1'),
        'train_dataloader.sampler.epoch_size=128',
    )
    metrics = []
    for config, options in ((UNCACHED, weights), (CACHED, cached)):
        out = tmp_path / 'metrics.json'
        run_here(
            *('python', 'tools/test.py', config, tmp_path / 'run/epoch_1.pth'),
            *('--work-dir', tmp_path / 'test'),
            *('--out', out, '--out-item=metrics', *options),
        )
        metrics.append(read_json(out))
    # The adapter's checkpoint is whole in either config.
    assert metrics[0] == metrics[1]


def test_a_killed_run_ends_with_the_same_views(
    run_here, toy_home, phase_a, tmp_path
):
    command = ('python', TOOL, UNCACHED, '--views=6', *use_weights(phase_a))
    run_here(*command, '-o', tmp_path / 'quiet')
    killed = tmp_path / 'killed'
    environment = {
        **os.environ,
        'PYTHONPATH': str(ROOT),
        'OMP_NUM_THREADS': '1',
    }
    process = subprocess.Popen(
        [sys.executable, *map(str, command[1:]), '-o', str(killed)],
        cwd=toy_home,
        env=environment,
    )
    while len(hash_views(killed)) < 2 and process.poll() is None:
        time.sleep(0.01)
    process.send_signal(signal.SIGKILL)
    process.wait()
    assert 2 <= len(hash_views(killed)) < 8
    run_here(*command, '-o', killed)
    assert hash_views(killed) == hash_views(tmp_path / 'quiet')
    assert not list(killed.rglob('*.tmp'))


def test_a_cache_of_other_weights_is_refused(run_here, phase_a, tmp_path):
    cache = tmp_path / 'cache'
    command = ('python', TOOL, UNCACHED, '-o', cache, '--views=1')
    command += ('--splits', 'train', 'val')
    run_here(*command, *use_weights(phase_a))
    other = write_toy_classifier(tmp_path / 'other.pth', seed=1)
    output = run_here(*command, *use_weights(other), status=1)
    assert 'Traceback' not in output
    assert 'begun with another weights' in output
    output = run_here(
        *('python', 'tools/train.py', CACHED, '--work-dir', tmp_path / 'run'),
        *use_cache(other, cache),
        status=1,
    )
    assert 'was made with other weights' in output

"""Whole runs of BALLAD's phase B on the toy world, cached and uncached."""

import gc
import os
import sys
import tempfile
import time
from functools import partial
from pathlib import Path
from statistics import median

from mmengine.config import Config
from mmengine.runner import Runner

from ltvl_mm.engine.feature_caching import cache_features
from ltvl_mm.utils.stages import Stage, python_stage, run_study, train_stage

VIEWS = 3
REPEATS = 3


def measure_phase_b(work: Path) -> dict[str, object]:
    """Return seconds, accuracies and ratios; prepares ``work`` first."""
    # What is said here must not be taken for the result on stdout.
    say = partial(print, flush=True, file=sys.stderr)
    run_study(work, [0], _list_stages, _set_environment, say=say)
    folder = work / 'seed0'
    os.environ.update(_set_environment(folder))
    cfg = Config.fromfile('configs/toy/ballad_b.py')
    start = time.perf_counter()
    with tempfile.TemporaryDirectory() as cache:
        os.environ['LTVL_TOY_CACHE'] = cache
        for split in ('train', 'val', 'test'):
            views = VIEWS if split == 'train' else 1
            cache_features(cfg, split, Path(cache, split), views=views)
        caching = time.perf_counter() - start
        seconds = {'ballad_b_cached': [], 'ballad_b': []}
        accuracy = {name: [] for name in seconds}
        for _ in range(REPEATS):
            for name in seconds:
                run, test = _train(name)
                seconds[name].append(run)
                accuracy[name].append(test)
    cached, uncached = map(median, seconds.values())
    return {
        'phase_b_seconds': {
            'cached': cached,
            'uncached': uncached,
            'caching': caching,
        },
        'phase_b_accuracy': {
            'cached': median(accuracy['ballad_b_cached']),
            'uncached': median(accuracy['ballad_b']),
        },
        'phase_b_speedup': uncached / cached,
        'phase_b_speedup_with_caching': uncached / (cached + caching),
    }


def _train(config: str) -> tuple[float, float]:
    """Return the seconds of ``Runner.train`` and the test accuracy."""
    cfg = Config.fromfile(f'configs/toy/{config}.py')
    with tempfile.TemporaryDirectory() as work_dir:
        cfg.merge_from_dict({'work_dir': work_dir, 'log_level': 'ERROR'})
        runner = Runner.from_cfg(cfg)
        gc.collect()  # else what the last run left is cleared on our time
        start = time.perf_counter()
        runner.train()
        seconds = time.perf_counter() - start
        return seconds, runner.test()['shot/all']


def _list_stages(folder: Path, seed: int) -> list[Stage]:
    return [
        python_stage(
            'make the toy world',
            'tools/dataset_converters/make_toy_world.py',
            folder / 'world',
            '--web=100',  # not used here
        ),
        train_stage('pre-train CLIP', 'clip', folder, seed),
        train_stage('train ballad_a', 'ballad_a', folder, seed),
    ]


def _set_environment(folder: Path) -> dict[str, str]:
    return {
        'LTVL_TOY_ROOT': str(folder / 'world'),
        'LTVL_TOY_CLIP': str(folder / 'clip/epoch_5.pth'),
        'LTVL_TOY_PHASE_A': str(folder / 'ballad_a/epoch_5.pth'),
    }

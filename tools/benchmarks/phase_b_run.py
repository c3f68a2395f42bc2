"""Whole runs of BALLAD's phase B on the emoji world, cached and uncached."""

import gc
import os
import shutil
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from statistics import median

from mmengine.config import Config
from mmengine.runner import Runner

from ltvl_mm.engine.feature_caching import cache_features
from ltvl_mm.utils.stages import ROOT, Stage, run_study

CONFIGS = ROOT / 'configs/toy/ballad'
VIEWS = 3
REPEATS = 3


def measure_phase_b(work: Path) -> dict[str, object]:
    """Return seconds, accuracies and ratios; prepares ``work`` first."""
    # What is said here must not be taken for the result on stdout.
    say = partial(print, flush=True, file=sys.stderr)
    run_study(work, [0], _list_stages, say=say)
    with chdir(work / 'seed0'):  # where the configs find world and phase A
        return _measure_all()


def _measure_all() -> dict[str, object]:
    cfg = Config.fromfile(CONFIGS / 'ballad_b.py')
    start = time.perf_counter()
    cache = Path('work_dirs/ballad_b/cache')  # as ballad_b_cached.py says
    shutil.rmtree(cache, ignore_errors=True)
    for split in ('train', 'val', 'test'):
        views = VIEWS if split == 'train' else 1
        cache_features(cfg, split, cache / split, views=views)
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
    cfg = Config.fromfile(CONFIGS / f'{config}.py')
    with tempfile.TemporaryDirectory() as work_dir:
        cfg.merge_from_dict({'work_dir': work_dir, 'log_level': 'ERROR'})
        runner = Runner.from_cfg(cfg)
        gc.collect()  # else what the last run left is cleared on our time
        start = time.perf_counter()
        runner.train()
        seconds = time.perf_counter() - start
        return seconds, runner.test()['shot/all']


def _list_stages(folder: Path, seed: int) -> list[Stage]:
    commands = {
        'draw the emoji world': (
            ROOT / 'tools/dataset_converters/make_emoji_world.py',
            'data/emoji',
            '--web=100',  # not used here
        ),
        'train ballad_a': (
            ROOT / 'tools/train.py',
            CONFIGS / 'ballad_a.py',
            '--resume',
            '--cfg-options',
            f'randomness.seed={seed}',
        ),
    }
    return [
        Stage(name, (sys.executable, *map(str, words)), cwd=folder)
        for name, words in commands.items()
    ]


@contextmanager
def chdir(folder: Path) -> Iterator[None]:
    """Work in a folder; contextlib.chdir came with Python 3.11."""
    before = os.getcwd()
    os.chdir(folder)
    try:
        yield
    finally:
        os.chdir(before)

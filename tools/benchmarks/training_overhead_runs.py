"""Measurements of training_overhead.py."""

import argparse
import tempfile
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import ParamSpec, TypeVar

import numpy as np
import torch
from dataset_start_runs import CLASSES, write_inputs
from mmengine.config import Config
from mmengine.hooks import Hook
from mmengine.runner import Runner
from mmpretrain.datasets.transforms import LoadImageFromFile
from PIL import Image

from ltvl_mm.utils.rng import make_generator
from ltvl_mm.utils.stages import ROOT

# Iterations before the measurement: caches of torch and of the disk.
WARM_UP = 3
_P = ParamSpec('_P')
_R = TypeVar('_R')
_KINDS = 16  # different JPEGs; the others are links


def run(args: argparse.Namespace) -> dict:
    """Return the results of the benchmark."""
    torch.set_num_threads(1)
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder)
        images = (args.iterations + WARM_UP) * args.batch_size
        write_inputs(root, images, images)
        _draw_images(root, args.size)
        runner = _build_runner(root, args)
        seconds = _measure(runner)
    total = seconds.pop('total')
    seconds['rest'] = total - sum(seconds.values())
    shares = {name: value / total for name, value in seconds.items()}
    return {
        'iterations': args.iterations,
        'batch_size': args.batch_size,
        'size': args.size,
        'iteration_ms': 1000 * total / args.iterations,
        'shares': shares,
        'overhead': shares['transforms'] + shares['rest'],
    }


def _draw_images(root: Path, size: int) -> None:
    """Write the JPEGs that the list and the manifest name."""
    (root / 'names.txt').write_text('\n'.join(map(str, range(CLASSES))))
    rng = make_generator(0)
    for number in range(_KINDS):
        small = rng.integers(0, 256, (size // 8, size // 8, 3), dtype=np.uint8)
        photo = Image.fromarray(small).resize((size, size))
        photo.save(root / f'{number}.jpg', quality=90)
    lines = (root / 'train.txt').read_text().splitlines()
    files = [root / line.rpartition(' ')[0] for line in lines]
    counts = Counter(row % CLASSES for row in range(len(lines)))
    files += [
        root / f'images/{label:05d}/{rank:05d}.jpg'
        for label, count in counts.items()
        for rank in range(count)
    ]
    for number, file in enumerate(files):
        file.parent.mkdir(parents=True, exist_ok=True)
        file.unlink(missing_ok=True)
        file.hardlink_to(root / f'{number % _KINDS}.jpg')


def _build_runner(root: Path, args: argparse.Namespace) -> Runner:
    cfg = Config.fromfile(ROOT / 'configs/tackle_rx50.py')
    for part in ('val', 'test'):
        for kind in ('dataloader', 'evaluator', 'cfg'):
            cfg.pop(f'{part}_{kind}', None)
    loader = cfg.train_dataloader
    loader.batch_size, loader.num_workers = args.batch_size, 0
    loader.sampler.epoch_size = (args.iterations + WARM_UP) * args.batch_size
    loader.dataset.manifest = str(root / 'manifest.parquet')
    target = loader.dataset.dataset
    target.data_root = str(root)
    target.ann_file = 'train.txt'
    target.classes = str(root / 'names.txt')
    target.pipeline[1].scale = args.size
    cfg.train_cfg = dict(by_epoch=True, max_epochs=1)
    cfg.param_scheduler = None
    cfg.default_hooks.checkpoint = dict(type='CheckpointHook', interval=-1)
    cfg.work_dir = str(root / 'run')
    return Runner.from_cfg(cfg)


class _Clock(Hook):
    """Start all counters after the warm-up; take the total of CPU seconds.

    Args:
        seconds: Counters of the parts; ``'total'`` is set at each iteration.
    """

    priority = 'VERY_LOW'

    def __init__(self, seconds: Counter[str]) -> None:
        self.seconds = seconds
        self.begin = 0.0

    def after_train_iter(
        self,
        runner: Runner,
        batch_idx: int,
        data_batch: object = None,
        outputs: object = None,
    ) -> None:
        """Read the clock, or start it after the last iteration of warm-up."""
        if batch_idx == WARM_UP - 1:
            for name in self.seconds:
                self.seconds[name] = 0
            self.begin = time.process_time()
        self.seconds['total'] = time.process_time() - self.begin


def _measure(runner: Runner) -> Counter[str]:
    """Return the CPU seconds of the parts and of all, without the warm-up."""
    seconds: Counter[str] = Counter(model=0, decoding=0, transforms=0)
    dataset = runner.train_loop.dataloader.dataset
    for step in dataset.pipeline.transforms:
        loads = isinstance(step, LoadImageFromFile)
        name = 'decoding' if loads else 'transforms'
        step.transform = _count(step.transform, seconds, name)
    # Target and retrieved images take the same transforms.
    dataset.pipeline = dataset.pipeline
    model = runner.model
    model.train_step = _count(model.train_step, seconds, 'model')
    runner.register_hook(_Clock(seconds))
    runner.train()
    return seconds


def _count(
    call: Callable[_P, _R], seconds: Counter[str], name: str
) -> Callable[_P, _R]:
    """Return the function, which adds its CPU seconds to a counter."""

    def timed(*args: _P.args, **kwargs: _P.kwargs) -> _R:
        start = time.process_time()
        found = call(*args, **kwargs)
        seconds[name] += time.process_time() - start
        return found

    return timed

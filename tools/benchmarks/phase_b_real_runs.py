"""Measurements of phase_b_real.py."""

import argparse
import copy
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
import torch
from mmengine.config import Config
from mmengine.registry import init_default_scope
from mmengine.runner import Runner
from PIL import Image

from ltvl_mm.clip.towers import IMAGENET_NAMES, find_arch
from ltvl_mm.registry import DATASETS, MODELS
from ltvl_mm.structures.feature_cache import (
    begin_cache,
    describe_source,
    write_view,
)
from ltvl_mm.utils.rng import make_generator
from ltvl_mm.utils.stages import ROOT

CONFIGS = ROOT / 'configs/ballad'
CACHED = CONFIGS / 'ballad-b-cached_rn50_1xb512-10e_imagenet-lt.py'
# Images of an epoch of ImageNet-LT in whole batches of 512.
EPOCH = 115_712
# Size of a photo of ImageNet, width and height in pixels.
PHOTO = (500, 375)
DISTINCT = 64  # photos that are drawn; the list repeats them


def run(args: argparse.Namespace) -> dict[str, object]:
    """Return the results of the benchmark."""
    init_default_scope('mmpretrain')
    torch.set_num_threads(1)
    images = max(args.images // 64, 1) * 64
    found = {
        name: measure_model(name, images, args.classes) for name in args.models
    }
    return {
        'images': images,
        'classes': args.classes,
        **found,
        'phase_b_speedup_real': min(
            model['speedup'] for model in found.values()
        ),
    }


def measure_model(name: str, images: int, classes: int) -> dict[str, float]:
    """Return the costs of both runs, and their ratio.

    Args:
        name: ``'rn50'`` or ``'vit-b16'``.
        images: Images of the run from images.
        classes: Number of classes K.
    """
    cfg = Config.fromfile(
        CONFIGS / f'ballad-b_{name}_8xb64-10e_imagenet-lt.py'
    )
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder)
        _write_world(root, classes)
        _use_world(cfg, root)
        _write_weights(cfg, root / 'weights.pth')
        from_images = _train(cfg, root, images)
        cached = _make_cached_config(cfg, root)
        from_features = _train(cached, root, EPOCH)
    return {
        'image_ms': 1000 * from_images,
        'feature_ms': 1000 * from_features,
        'epoch_hours_from_images': from_images * EPOCH / 3600,
        'epoch_seconds_from_features': from_features * EPOCH,
        'speedup': from_images / from_features,
    }


def _write_world(root: Path, classes: int) -> None:
    """Write photos, a list of an epoch's length, and class names."""
    rng = make_generator(0)
    names = IMAGENET_NAMES[:classes]
    (root / 'names.txt').write_text('\n'.join(names), encoding='utf-8')
    for number in range(DISTINCT):
        # Noise of 8 pixels, whose JPEG is as large as that of a photo.
        small = rng.integers(0, 256, (48, 64, 3), dtype=np.uint8)
        photo = Image.fromarray(small).resize(PHOTO)
        photo.save(root / f'{number}.jpg', quality=90)
    lines = [f'{row % DISTINCT}.jpg {row % classes}' for row in range(EPOCH)]
    (root / 'train.txt').write_text('\n'.join(lines), encoding='utf-8')


def _use_world(cfg: Config, root: Path) -> None:
    """Let a config train one epoch on the photos, in this process."""
    dataset = cfg.train_dataloader.dataset
    dataset.data_root = str(root)
    dataset.ann_file = 'train.txt'
    dataset.classes = str(root / 'names.txt')
    cfg.model.head.class_names = str(root / 'names.txt')
    cfg.model.backbone.pretrained = str(root / 'weights.pth')
    cfg.model.head.pretrained = str(root / 'weights.pth')
    cfg.train_dataloader.num_workers = 0
    cfg.train_dataloader.persistent_workers = False
    for part in ('val', 'test'):
        for kind in ('dataloader', 'evaluator', 'cfg'):
            cfg.pop(f'{part}_{kind}', None)
    cfg.default_hooks.checkpoint = dict(type='CheckpointHook', interval=-1)
    cfg.train_cfg = dict(by_epoch=True, max_epochs=1)
    cfg.log_level = 'ERROR'


def _write_weights(cfg: Config, path: Path) -> None:
    """Write the random weights of a phase A."""
    model = copy.deepcopy(cfg.model)
    model.backbone.pretrained = model.head.pretrained = None
    torch.manual_seed(0)
    state = MODELS.build(model).state_dict()
    torch.save({'state_dict': state}, path)


def _make_cached_config(cfg: Config, root: Path) -> Config:
    """Return the config that trains on cached features of an epoch."""
    dim = find_arch(cfg.model.backbone.arch)['embed_dim']
    dataset = cfg.train_dataloader.dataset
    source = describe_source(
        cfg.model.backbone,
        cfg.data_preprocessor,
        dataset,
        DATASETS.build(dataset),
    )
    begin_cache(root / 'cache', source, 0)
    rng = make_generator(1)
    features = rng.standard_normal((EPOCH, dim), dtype=np.float32)
    write_view(root / 'cache', 0, features)
    cached = Config.fromfile(CACHED)
    _use_world(cached, root)
    cached.model = copy.deepcopy(cfg.model)
    cached.model.backbone = dict(type='ltvl_mm.IdentityBackbone', dim=dim)
    cached.train_dataloader.dataset = dict(
        type='ltvl_mm.CachedFeatures',
        root=str(root / 'cache'),
        dataset=dataset,
        backbone=cfg.model.backbone,
        data_preprocessor=cfg.data_preprocessor,
    )
    return cached


def _train(cfg: Config, root: Path, images: int) -> float:
    """Return the CPU seconds an image; texts are encoded before.

    Args:
        cfg: Config of the training.
        root: Folder for its log.
        images: Images of the run.
    """
    cfg = copy.deepcopy(cfg)
    cfg.train_dataloader.sampler.epoch_size = images
    cfg.work_dir = str(root / 'run')
    runner = Runner.from_cfg(cfg)
    runner.model.head.prototypes()
    start = time.process_time()
    runner.train()
    seconds = (time.process_time() - start) / images
    print(f'{images} images: {1000 * seconds:.3f} ms', file=sys.stderr)
    return seconds

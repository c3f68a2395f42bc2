"""Measurements of phase_b_real.py."""

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

from ltvl_mm.clip.towers import IMAGENET_NAMES
from ltvl_mm.engine.feature_caching import cache_features
from ltvl_mm.registry import MODELS
from ltvl_mm.utils.rng import make_generator
from ltvl_mm.utils.stages import ROOT

CONFIGS = ROOT / 'configs/ballad'
CACHED = CONFIGS / 'ballad-b-cached_rn50_1xb512-10e_imagenet-lt.py'
# Images of an epoch of ImageNet-LT in whole batches of 512.
EPOCH = 115_712
# Size of a photo of ImageNet, width and height in pixels.
PHOTO = (500, 375)


def measure_model(name: str, images: int, classes: int) -> dict[str, float]:
    """Return milliseconds per image of both runs, and their ratio.

    Args:
        name: ``'rn50'`` or ``'vit-b16'``.
        images: Images of the run from images; whole batches are used.
        classes: Number of classes K.
    """
    init_default_scope('mmpretrain')
    cfg = Config.fromfile(
        CONFIGS / f'ballad-b_{name}_8xb64-10e_imagenet-lt.py'
    )
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder)
        _write_world(root, images, classes)
        _use_world(cfg, root)
        _write_weights(cfg, root / 'weights.pth')
        from_images = _train(cfg, root, images // 64 * 64)
        start = time.process_time()
        cache = cache_features(cfg, 'train', root / 'cache', views=1)
        caching = (time.process_time() - start) / images
        cached = _make_cached_config(cfg, root, cache.dim)
        from_cache = _train(cached, root, EPOCH)
    return {
        'image_ms': 1000 * from_images,
        'cached_ms': 1000 * from_cache,
        'caching_ms': 1000 * caching,
        'epoch_hours_extrapolated': from_images * EPOCH / 3600,
        'speedup': from_images / from_cache,
    }


def _write_world(root: Path, images: int, classes: int) -> None:
    """Write photos, their list and class names."""
    rng = make_generator(0)
    names = IMAGENET_NAMES[:classes]
    (root / 'names.txt').write_text('\n'.join(names), encoding='utf-8')
    lines = []
    for number in range(images):
        # Noise of 8 pixels, whose JPEG is as large as that of a photo.
        small = rng.integers(0, 256, (48, 64, 3), dtype=np.uint8)
        photo = Image.fromarray(small).resize(PHOTO)
        photo.save(root / f'{number}.jpg', quality=90)
        lines.append(f'{number}.jpg {number % classes}')
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


def _make_cached_config(cfg: Config, root: Path, dim: int) -> Config:
    """Return the config that trains on the cached features of another."""
    cached = Config.fromfile(CACHED)
    _use_world(cached, root)
    cached.model = copy.deepcopy(cfg.model)
    cached.model.backbone = dict(type='ltvl_mm.IdentityBackbone', dim=dim)
    cached.train_dataloader.dataset = dict(
        type='ltvl_mm.CachedFeatures',
        root=str(root / 'cache'),
        dataset=cfg.train_dataloader.dataset,
        backbone=cfg.model.backbone,
        data_preprocessor=cfg.data_preprocessor,
    )
    return cached


def _train(cfg: Config, root: Path, images: int) -> float:
    """Return the CPU seconds of an epoch per image; texts are encoded before.

    Args:
        cfg: Config of the training.
        root: Folder for its log.
        images: Images of the epoch.
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

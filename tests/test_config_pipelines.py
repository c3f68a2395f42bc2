"""Every leaf config tests images of any size at its input size."""

import functools
import json
from pathlib import Path

import numpy as np
import pytest
from mmengine.config import Config
from mmengine.dataset import Compose
from mmengine.registry import DefaultScope

import ltvl_mm  # noqa: F401, registers its transforms

ROOT = Path(__file__).parents[1] / 'configs'
# The images of the embedded world have one size.
LEAVES = sorted(
    path
    for path in ROOT.rglob('*.py')
    if not {'_base_', 'toy'} & set(path.parts)
)


@pytest.mark.parametrize(
    'path', LEAVES, ids=lambda path: path.relative_to(ROOT).as_posix()
)
def test_images_of_any_size_are_tested_at_the_input_size(path):
    cfg = Config.fromfile(path)
    size = 384 if '50x16' in path.stem else 224
    if 'cifar100-lt' in path.stem and 'vit' not in path.stem:
        size = 32  # CLIP's ViT sees CIFAR's images at 224
    for stage in ('val', 'test'):
        pipeline = find_pipeline(cfg.get(f'{stage}_dataloader') or {})
        for shape in ((300, 500, 3), (90, 70, 3)):
            assert find_sides(pipeline, shape) <= {size}


def find_pipeline(loader):
    """Return the transforms of the data set in all wrappers."""
    part = loader.get('dataset', {})
    while 'pipeline' not in part and 'dataset' in part:
        part = part['dataset']
    return part.get('pipeline', [])


@functools.cache
def build(pipeline):
    with DefaultScope.overwrite_default_scope('mmpretrain'):
        return Compose(json.loads(pipeline))


def find_sides(pipeline, shape):
    """Return the sides of the inputs that an image of a shape becomes."""
    steps = pipeline[1:]  # behind the reading
    if not steps:  # nothing is tested, or from a cache
        return set()
    image = np.zeros(shape, np.uint8)
    made = build(json.dumps(steps))(
        {'img': image, 'img_shape': shape[:2], 'ori_shape': shape[:2]}
    )['inputs']
    views = made.values() if isinstance(made, dict) else [made]
    return {side for view in views for side in view.shape[1:]}

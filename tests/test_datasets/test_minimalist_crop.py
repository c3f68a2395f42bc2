"""Crops grow to the whole image, as LIFT+'s minimalist augmentation has it."""

import math
from types import SimpleNamespace

import mmcv
import numpy as np
import pytest
from mmengine.dataset import Compose
from mmengine.registry import DefaultScope
from mmengine.runner import EpochBasedTrainLoop

from ltvl_mm.datasets.minimalist_crop import MinimalistCrop, compute_min_scale
from ltvl_mm.engine.hooks import TransformEpochHook
from ltvl_mm.registry import TRANSFORMS

IMAGE = np.random.default_rng(0).integers(0, 256, (40, 60, 3), np.uint8)


@pytest.mark.parametrize(
    ('schedule', 'shares'),
    [
        ('convex', [0, 1 - math.sqrt(15) / 4, 1 - math.sqrt(3) / 2, 1]),
        ('linear', [0, 0.25, 0.5, 1]),
        ('concave', [0, math.sqrt(7) / 4, math.sqrt(3) / 2, 1]),
        ('min', [0, 0, 0, 0]),
        ('max', [1, 1, 1, 1]),
    ],
)
def test_the_minimum_follows_the_schedule(schedule, shares):
    # Of five epochs: t = 0, 1/4, 1/2 and 1.
    found = [compute_min_scale(e, 5, schedule=schedule) for e in (0, 1, 2, 4)]
    assert found == pytest.approx([0.08 + 0.92 * share for share in shares])


def test_a_single_epoch_begins_and_others_are_refused():
    assert compute_min_scale(0, 1) == pytest.approx(0.08)
    for epoch in (-1, 5):
        with pytest.raises(ValueError, match=r'epoch must be in \[0, 5\)'):
            compute_min_scale(epoch, 5)


def crop_slowly(image, low):
    """Crop as torchvision's RandomResizedCrop: area, shape, then place."""
    height, width = image.shape[:2]
    for _ in range(10):
        area = np.random.uniform(low, 1) * height * width  # noqa: NPY002
        shape = math.exp(
            np.random.uniform(math.log(3 / 4), math.log(4 / 3))  # noqa: NPY002
        )
        w = round(math.sqrt(area * shape))
        h = round(math.sqrt(area / shape))
        if w <= width and h <= height:
            y = np.random.randint(0, height - h + 1)  # noqa: NPY002
            x = np.random.randint(0, width - w + 1)  # noqa: NPY002
            return image[y : y + h, x : x + w]
    w = round(height * 4 / 3)  # of an image that is wider
    x = (width - w) // 2
    return image[:, x : x + w]


@pytest.mark.parametrize('epoch', [0, 2, 4])
def test_crops_are_those_of_a_slow_version(epoch):
    crop = MinimalistCrop(40, schedule='linear', interpolation='nearest')
    crop.set_epoch(epoch, 5)
    low = compute_min_scale(epoch, 5, schedule='linear')
    for seed in range(20):
        np.random.seed(seed)  # noqa: NPY002
        expected = crop_slowly(IMAGE, low)
        np.random.seed(seed)  # noqa: NPY002
        found = crop({'img': IMAGE})['img']
        resized = mmcv.imresize(expected, (40, 40), interpolation='nearest')
        assert np.array_equal(found, resized)


def test_options_and_a_missing_epoch_are_refused():
    with pytest.raises(ValueError, match='schedule must be one of convex'):
        MinimalistCrop(8, schedule='slow')
    with pytest.raises(ValueError, match=r'start must lie in \(0, 1\]'):
        MinimalistCrop(8, start=0)
    with pytest.raises(ValueError, match=r'add dict.*TransformEpochHook'):
        MinimalistCrop(8)({'img': IMAGE})


def make_runner(steps, loop=EpochBasedTrainLoop):
    with DefaultScope.overwrite_default_scope('mmpretrain'):
        pipeline = Compose([TRANSFORMS.build(step) for step in steps])
    inner = SimpleNamespace(pipeline=pipeline)
    loop = loop.__new__(loop)
    loop.dataloader = SimpleNamespace(dataset=SimpleNamespace(dataset=inner))
    return SimpleNamespace(train_loop=loop, epoch=0, max_epochs=5)


CROP = dict(type='ltvl_mm.MinimalistCrop', scale=8)


def test_the_hook_passes_epochs_to_transforms_inside_wrappers():
    nested = dict(type='RandomApply', transforms=[CROP], prob=0.5)
    runner = make_runner([CROP, nested])
    hook = TransformEpochHook()
    hook.before_train(runner)
    runner.epoch = 2
    hook.before_train_epoch(runner)
    first, other = (
        runner.train_loop.dataloader.dataset.dataset.pipeline.transforms
    )
    for crop in (first, other.transforms.transforms[0]):
        assert crop._min_scale.item() == pytest.approx(compute_min_scale(2, 5))


def test_the_hook_refuses_what_it_cannot_serve():
    with pytest.raises(ValueError, match='finds no transform with set_ep'):
        TransformEpochHook().before_train(make_runner([]))
    runner = make_runner([CROP])
    runner.train_loop = SimpleNamespace()
    with pytest.raises(ValueError, match='needs a training by epochs'):
        TransformEpochHook().before_train(runner)

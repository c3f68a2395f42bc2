"""What a training leaves for those who watch it."""

import json
import sys
from collections import Counter

import numpy as np
import pytest
from mmengine.config import Config
from mmengine.registry import HOOKS
from mmengine.runner import Runner
from mmengine.utils import is_installed
from PIL import Image

from ltvl_mm.visualization.class_accuracy import render_class_accuracy

EPOCHS = 2


@pytest.fixture
def train(target, tmp_path):
    """Function that trains on six tiny images, validating twice."""

    def run(backend='LocalVisBackend', **changes):
        loader = dict(
            batch_size=3,
            num_workers=0,
            sampler=dict(type='DefaultSampler', shuffle=False),
            dataset=target,
        )
        cfg = dict(
            default_scope='mmpretrain',
            model=dict(
                type='ImageClassifier',
                backbone=dict(
                    type='ResNet', depth=18, stem_channels=4, base_channels=4
                ),
                neck=dict(type='GlobalAveragePooling'),
                head=dict(type='LinearClsHead', num_classes=3, in_channels=32),
                data_preprocessor=dict(num_classes=3),
            ),
            train_dataloader=loader,
            val_dataloader=loader,
            train_cfg=dict(by_epoch=True, max_epochs=EPOCHS),
            val_cfg=dict(),
            val_evaluator=dict(
                type='ltvl_mm.ShotAccuracy',
                class_counts=[200, 50, 5],
                num_classes=3,
            ),
            optim_wrapper=dict(optimizer=dict(type='SGD', lr=0.1)),
            visualizer=dict(
                type='UniversalVisualizer', vis_backends=[dict(type=backend)]
            ),
            custom_hooks=[dict(type='ltvl_mm.LongTailVisHook')],
            work_dir=str(tmp_path / 'work'),
            experiment_name=f'{tmp_path.name}_{backend}',
        )
        runner = Runner.from_cfg(Config(cfg | changes))
        runner.train()
        return tmp_path / 'work' / runner.timestamp / 'vis_data'

    return run


def test_each_validation_has_a_picture_and_its_numbers_once(train):
    folder = train()
    pictures = sorted((folder / 'vis_image').iterdir())
    assert [file.name for file in pictures] == [
        f'shot_per_class_{epoch}.png' for epoch in (1, EPOCHS)
    ]
    with Image.open(pictures[0]) as image:
        assert np.asarray(image).std() > 5  # not blank
    lines = (folder / 'scalars.json').read_text().splitlines()
    names = Counter(name for line in lines for name in json.loads(line))
    for group in ('many', 'medium', 'few', 'all'):
        assert names[f'shot/{group}'] == EPOCHS


@pytest.mark.skipif(
    not is_installed('tensorboard'), reason='needs tensorboard'
)
def test_it_reaches_tensorboard(train):
    from tensorboard.backend.event_processing.event_accumulator import (
        EventAccumulator,
    )

    events = EventAccumulator(str(train('TensorboardVisBackend')))
    events.Reload()
    assert [e.step for e in events.Images('shot_per_class')] == [1, EPOCHS]
    assert [e.step for e in events.Scalars('shot/few')] == [1, EPOCHS]


def test_iterations_can_be_the_steps(train):
    hook = dict(type='ltvl_mm.LongTailVisHook', by_epoch=False)
    pictures = (train(custom_hooks=[hook]) / 'vis_image').iterdir()
    assert sorted(file.stem for file in pictures) == [
        'shot_per_class_2',  # two batches an epoch
        'shot_per_class_4',
    ]


def test_a_training_without_the_metric_is_refused_at_its_start(train):
    with pytest.raises(ValueError, match='val_evaluator has none'):
        train(val_evaluator=dict(type='Accuracy'))
    with pytest.raises(ValueError, match='val_evaluator has none'):
        train(val_evaluator=None, val_cfg=None, val_dataloader=None)


def test_without_matplotlib_only_who_asks_for_the_hook_is_told(monkeypatch):
    monkeypatch.setitem(sys.modules, 'matplotlib', None)
    monkeypatch.delitem(
        sys.modules, 'ltvl_mm.visualization.class_accuracy', raising=False
    )
    monkeypatch.delattr('ltvl_mm.visualization.class_accuracy', raising=False)
    HOOKS.build(dict(type='ltvl_mm.EpochSeedHook'))
    with pytest.raises(ImportError, match=r'ltvl-mm\[visualization\]'):
        HOOKS.build(dict(type='ltvl_mm.LongTailVisHook'))


def test_a_picture_is_the_same_each_time_and_shows_the_classes():
    counts = np.array([500, 60, 3])
    values = np.array([90.0, np.nan, 10.0])
    picture = render_class_accuracy(counts, {'student': values}, 'title')
    assert picture.dtype == np.uint8
    assert picture.shape == (675, 1200, 3)
    again = render_class_accuracy(counts, {'student': values}, 'title')
    assert np.array_equal(picture, again)
    other = render_class_accuracy(counts, {'student': values / 2}, 'title')
    assert not np.array_equal(picture, other)

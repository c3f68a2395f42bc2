"""Losses learn the images per class from what is trained on."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from mmengine.config import Config
from mmengine.runner import Runner

from ltvl_mm.engine.hooks import ClassCountsHook
from ltvl_mm.structures.manifest_file import load_manifest, save_manifest

LEAF = """
_base_ = 'mmpretrain::resnet/resnet18_8xb32_in1k.py'

model = dict(
    backbone=dict(base_channels=8, stem_channels=8),
    head=dict(
        num_classes=3,
        in_channels=64,
        loss=dict(
            _delete_=True, type='ltvl_mm.LogitAdjustedLoss', num_classes=3
        ),
    ),
)
data_preprocessor = dict(num_classes=3)
train_pipeline = [
    dict(type='LoadImageFromFile'),
    dict(type='Resize', scale=(32, 32)),
    dict(type='PackInputs'),
]
train_dataloader = dict(
    batch_size=2,
    num_workers=0,
    persistent_workers=False,
    dataset=dict(
        _delete_=True,
        type='ltvl_mm.TACKLEDataset',
        manifest={manifest!r},
        dataset=dict(
            type='CustomDataset',
            data_root={data_root!r},
            ann_file='train.txt',
            classes=['cat', 'dog', 'owl'],
            pipeline=train_pipeline,
        ),
    ),
)
val_dataloader = val_evaluator = val_cfg = None
test_dataloader = test_evaluator = test_cfg = None
train_cfg = dict(max_epochs=2)
custom_hooks = [
    dict(
        type='SwitchRecipeHook',
        schedule=[
            dict(
                action_epoch=2,
                loss=dict(type='ltvl_mm.LDAMLoss', num_classes=3, beta=0.99),
            )
        ],
    ),
    dict(type='ltvl_mm.ClassCountsHook'),
]
"""


@pytest.fixture
def leaf(target, manifest, tmp_path):
    path = tmp_path / 'leaf.py'
    path.write_text(
        LEAF.format(manifest=str(manifest), data_root=target['data_root'])
    )
    cfg = Config.fromfile(path)
    cfg.work_dir = str(tmp_path / 'work')
    return cfg


def test_counts_are_of_target_and_retrieved_in_every_loss(leaf):
    runner = Runner.from_cfg(leaf)
    runner.train()
    loss = runner.model.head.loss_module
    assert type(loss).__name__ == 'LDAMLoss'
    assert loss.class_counts.tolist() == [5, 5, 2]
    state = torch.load(f'{leaf.work_dir}/epoch_1.pth', weights_only=False)
    counts = state['state_dict']['head.loss_module.class_counts']
    assert counts.tolist() == [5, 5, 2]


def test_a_resumed_run_goes_on_with_the_switched_loss(leaf):
    leaf.train_cfg.max_epochs = 2
    Runner.from_cfg(leaf).train()
    leaf.resume = True
    leaf.train_cfg.max_epochs = 3
    runner = Runner.from_cfg(leaf)
    runner.train()
    assert runner.model.head.loss_module.beta == 0.99
    assert runner.model.head.loss_module.class_counts.tolist() == [5, 5, 2]


def test_a_loss_for_other_classes_is_refused_before_training(leaf):
    leaf.model.head.num_classes = leaf.model.head.loss.num_classes = 4
    with pytest.raises(ValueError, match=r'num_classes=4, but .* 3 classes'):
        Runner.from_cfg(leaf).train()


def use_probabilities(leaf, odds):
    """Write the manifest again, with probabilities odds / (1 + odds)."""
    path = leaf.train_dataloader.dataset.manifest
    manifest = load_manifest(path)
    scores = np.log(np.array(odds, float))
    more = dict(score=scores, source={'score': 'softmax'})
    save_manifest(path, replace(manifest, **more))


# Three cats, two dogs, an owl; retrieved, two cats with p = 3/4 and 1/2,
# three dogs with 1/2, 1/2 and 1/4, an owl with 3/4.
ODDS = [3, 1, 1, 1, 1 / 3, 3]


@pytest.mark.parametrize(
    ('retrieved', 'counts'),
    [
        ('all', [5, 5, 2]),
        ('probability', [4.25, 3.25, 1.75]),
        ('none', [3, 2, 1]),
    ],
)
def test_retrieved_images_may_count_as_their_probability(
    leaf, retrieved, counts
):
    use_probabilities(leaf, ODDS)
    leaf.custom_hooks[1].retrieved = retrieved
    leaf.custom_hooks.append(dict(type='ltvl_mm.RetrievedWeightHook'))
    leaf.train_cfg.max_epochs = 1
    runner = Runner.from_cfg(leaf)
    runner.train()
    found = runner.model.head.loss_module.class_counts
    assert found.tolist() == pytest.approx(counts)


def test_in_a_target_stage_retrieved_images_do_not_count(leaf):
    leaf.custom_hooks[1].target_from = 1
    leaf.train_dataloader.sampler = dict(
        type='ltvl_mm.RetrievedShareSampler', target_from=1
    )
    runner = Runner.from_cfg(leaf)
    runner.train()
    counts = [
        torch.load(f'{leaf.work_dir}/epoch_{epoch}.pth', weights_only=False)[
            'state_dict'
        ]['head.loss_module.class_counts'].tolist()
        for epoch in (1, 2)
    ]
    assert counts == [[5, 5, 2], [3, 2, 1]]


def test_other_ways_to_count_are_refused():
    with pytest.raises(ValueError, match='retrieved must be one of all, p'):
        ClassCountsHook(retrieved='half')

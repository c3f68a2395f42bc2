"""Losses learn the images per class from what is trained on."""

import pytest
import torch
from mmengine.config import Config
from mmengine.runner import Runner

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

"""A config of the host takes our parts as they are."""

import math

import pytest
import torch
from mmengine.config import Config
from mmengine.runner import Runner
from mmpretrain.models import LinearClsHead

import ltvl_mm  # noqa: F401, a broken install says so here
from ltvl_mm.datasets import ClassBalancedSampler, TACKLEDataset
from ltvl_mm.models import CLIPBackbone

LEAF = """
_base_ = 'mmpretrain::resnet/resnet18_8xb32_in1k.py'

train_dataloader = dict(
    sampler=dict(type='ltvl_mm.ClassBalancedSampler', epoch_size=4),
    dataset=dict(
        _delete_=True,
        type='ltvl_mm.TACKLEDataset',
        manifest={manifest!r},
        dataset=dict(
            type='CustomDataset',
            data_root={data_root!r},
            ann_file='train.txt',
            classes=['cat', 'dog', 'owl'],
            pipeline=_base_.train_pipeline,
        ),
    ),
)
"""
CLIP_LEAF = """
_base_ = 'mmpretrain::resnet/resnet18_8xb32_in1k.py'

model = dict(
    backbone=dict(
        _delete_=True, type='ltvl_mm.CLIPBackbone', arch='ltvl-toy'
    ),
    neck=None,
    head=dict(num_classes=3, in_channels=128),
)
train_dataloader = dict(
    dataset=dict(
        _delete_=True,
        type='CustomDataset',
        data_root={data_root!r},
        ann_file='train.txt',
        pipeline=[
            dict(type='LoadImageFromFile'),
            dict(type='Resize', scale=(32, 32)),
            dict(type='PackInputs'),
        ],
    ),
)
"""


def train_one_step(leaf, folder):
    """Return the runner after a step, which must have moved a weight."""
    (folder / 'leaf.py').write_text(leaf)
    cfg = Config.fromfile(folder / 'leaf.py')
    # For speed alone: one step, in this process, without validation.
    cfg.merge_from_dict(
        {
            'train_dataloader.batch_size': 4,
            'train_dataloader.num_workers': 0,
            'train_dataloader.persistent_workers': False,
            'train_dataloader.drop_last': True,
            'train_cfg.max_epochs': 1,
            'default_hooks.checkpoint': None,
            'work_dir': str(folder / 'work'),
        }
    )
    for part in ('cfg', 'dataloader', 'evaluator'):
        cfg[f'val_{part}'] = cfg[f'test_{part}'] = None
    runner = Runner.from_cfg(cfg)
    before = [weight.clone() for weight in runner.model.parameters()]
    runner.train()
    assert runner.iter == 1
    assert math.isfinite(runner.message_hub.get_scalar('train/loss').current())
    assert any(
        not torch.equal(weight, old)
        for weight, old in zip(runner.model.parameters(), before, strict=True)
    )
    return runner


@pytest.mark.smoke
def test_a_stock_config_with_our_data_set_and_sampler_trains(
    target, manifest, tmp_path
):
    leaf = LEAF.format(manifest=str(manifest), data_root=target['data_root'])
    runner = train_one_step(leaf, tmp_path)
    assert isinstance(runner.train_dataloader.dataset, TACKLEDataset)
    assert isinstance(runner.train_dataloader.sampler, ClassBalancedSampler)


@pytest.mark.smoke
def test_a_stock_config_with_our_backbone_and_its_own_head_trains(
    target, tmp_path
):
    leaf = CLIP_LEAF.format(data_root=target['data_root'])
    runner = train_one_step(leaf, tmp_path)
    assert isinstance(runner.model.backbone, CLIPBackbone)
    assert isinstance(runner.model.head, LinearClsHead)

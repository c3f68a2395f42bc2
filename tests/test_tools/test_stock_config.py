"""A config of the host takes our data set and sampler as they are."""

import math

import pytest
import torch
from mmengine.config import Config
from mmengine.runner import Runner

import ltvl_mm  # noqa: F401, a broken install says so here
from ltvl_mm.datasets import ClassBalancedSampler, TACKLEDataset

LEAF = """
_base_ = 'mmpretrain::resnet/resnet18_8xb32_in1k.py'

train_dataloader = dict(
    sampler=dict(type='ltvl_mm.ClassBalancedSampler'),
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


@pytest.mark.smoke
def test_a_stock_config_with_our_data_set_and_sampler_trains(
    target, manifest, tmp_path
):
    (tmp_path / 'leaf.py').write_text(
        LEAF.format(manifest=str(manifest), data_root=target['data_root'])
    )
    cfg = Config.fromfile(tmp_path / 'leaf.py')
    # For speed alone: one step, in this process, without validation.
    cfg.merge_from_dict(
        {
            'train_dataloader.batch_size': 4,
            'train_dataloader.sampler.epoch_size': 4,
            'train_dataloader.num_workers': 0,
            'train_dataloader.persistent_workers': False,
            'train_cfg.max_epochs': 1,
            'default_hooks.checkpoint': None,
            'work_dir': str(tmp_path / 'work'),
        }
    )
    for part in ('cfg', 'dataloader', 'evaluator'):
        cfg[f'val_{part}'] = cfg[f'test_{part}'] = None
    runner = Runner.from_cfg(cfg)
    before = [weight.clone() for weight in runner.model.parameters()]
    runner.train()
    assert isinstance(runner.train_dataloader.dataset, TACKLEDataset)
    assert isinstance(runner.train_dataloader.sampler, ClassBalancedSampler)
    assert runner.iter == 1
    assert math.isfinite(runner.message_hub.get_scalar('train/loss').current())
    assert any(
        not torch.equal(weight, old)
        for weight, old in zip(runner.model.parameters(), before, strict=True)
    )

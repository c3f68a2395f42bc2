"""A config of mmpretrain takes our parts unchanged."""

import math
import re
from pathlib import Path

import pytest
import torch
from mmengine.config import Config
from mmengine.evaluator import Evaluator
from mmengine.registry import DefaultScope
from mmengine.runner import Runner
from mmpretrain.models import LinearClsHead

import ltvl_mm  # noqa: F401, a broken install says so here
from ltvl_mm.datasets import ClassBalancedSampler, TACKLEDataset
from ltvl_mm.models import CLIPBackbone
from ltvl_mm.registry import DATA_SAMPLERS, DATASETS, MODELS

ROOT = Path(__file__).parents[2]
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


def read_examples(title):
    """Return the Python blocks of a section of the docs on parts."""
    text = (ROOT / 'docs/mixing_parts.md').read_text(encoding='utf-8')
    section = text.partition(f'\n## {title}\n')[2].partition('\n## ')[0]
    found = re.findall(r'```python\n(.*?)```', section, re.DOTALL)
    assert found, title
    return found


@pytest.fixture
def documented(target, manifest, tmp_path, monkeypatch):
    """Make the files that the docs name, in the current folder."""
    monkeypatch.chdir(tmp_path)
    Path('data').symlink_to(target['data_root'])
    Path('data/class_names.txt').write_text('cat\ndog\nowl\n')
    Path('retrieved').symlink_to(Path(manifest).parent)


BASE = read_examples("Start from mmpretrain's config")[0]
WRAPPED, FIXED_EPOCHS = read_examples('Retrieved images: wrap the data set')


FASTER = """
train_dataloader['dataset']['dataset']['pipeline'][1]['scale'] = 32
train_dataloader['sampler'] = dict(
    _delete_=True, type='ltvl_mm.FixedEpochSampler', epoch_size=4
)
"""


def test_the_first_examples_of_the_docs_train_together(documented, tmp_path):
    runner = train_one_step(BASE + WRAPPED + FASTER, tmp_path)
    assert isinstance(runner.train_dataloader.dataset, TACKLEDataset)
    assert runner.cfg.model.backbone.depth == 50


@pytest.mark.parametrize(
    'example',
    [
        FIXED_EPOCHS,
        *read_examples('A loss that uses class counts'),
        *read_examples('A sampler'),
        *read_examples('The metric'),
    ],
)
def test_an_example_of_the_docs_fits_the_config_of_the_host(
    documented, tmp_path, example
):
    (tmp_path / 'leaf.py').write_text(BASE + WRAPPED)
    dataset = Config.fromfile(tmp_path / 'leaf.py').train_dataloader.dataset
    (tmp_path / 'leaf.py').write_text(BASE + example)
    cfg = Config.fromfile(tmp_path / 'leaf.py')
    with DefaultScope.overwrite_default_scope('mmpretrain'):
        DATA_SAMPLERS.build(
            cfg.train_dataloader.sampler,
            default_args=dict(dataset=DATASETS.build(dataset), seed=0),
        )
        MODELS.build(cfg.model.head)
        Evaluator(cfg.test_evaluator)

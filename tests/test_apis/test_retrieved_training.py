"""Retrieved images are added to the training set of any config."""

import copy
import json
from dataclasses import replace

import pytest
from mmengine.config import Config
from PIL import Image
from small_inputs import write_manifest
from tools_in_process import run_tool_here

from ltvl_mm.apis.retrieved_training import (
    add_retrieved_images,
    wrap_training_set,
)
from ltvl_mm.datasets import TACKLEDataset
from ltvl_mm.structures.features import load_features
from ltvl_mm.structures.manifest_file import load_manifest, save_manifest
from ltvl_mm.utils.checkpoints import find_checkpoint, read_weights

NAMES = ('cat', 'dog')
RETRIEVED = [0, 1, 1, 1]


def make_config(root):
    """Write two images and return a config that trains on them."""
    for name in ('a', 'b'):
        Image.new('RGB', (8, 8)).save(root / f'{name}.png')
    (root / 'train.txt').write_text('a.png 0\nb.png 1\n')
    dataset = dict(
        type='CustomDataset',
        data_root=str(root),
        ann_file='train.txt',
        classes=NAMES,
        pipeline=[dict(type='LoadImageFromFile'), dict(type='PackInputs')],
    )
    loader = dict(
        batch_size=2,
        num_workers=0,
        sampler=dict(type='DefaultSampler', shuffle=False),
        dataset=dataset,
    )
    return Config(
        dict(
            default_scope='mmpretrain',
            model=make_model(),
            train_dataloader=copy.deepcopy(loader),
            test_dataloader=loader,
            test_evaluator=dict(type='Accuracy'),
            train_cfg=dict(by_epoch=True, max_epochs=1),
            test_cfg=dict(),
            optim_wrapper=dict(optimizer=dict(type='SGD', lr=0.1)),
            custom_hooks=[dict(type='ltvl_mm.ClassCountsHook')],
        )
    )


def make_model():
    return dict(
        type='ImageClassifier',
        data_preprocessor=dict(num_classes=2, mean=[0.0], std=[1.0]),
        backbone=dict(
            type='ResNet',
            depth=18,
            num_stages=1,
            strides=(1,),
            dilations=(1,),
            out_indices=(0,),
        ),
        neck=dict(type='GlobalAveragePooling'),
        head=dict(
            type='LinearClsHead',
            num_classes=2,
            in_channels=64,
            loss=dict(type='ltvl_mm.LogitAdjustedLoss', num_classes=2),
        ),
    )


@pytest.fixture(scope='module')
def manifest(tmp_path_factory):
    file = write_manifest(
        tmp_path_factory.mktemp('retrieved'), NAMES, RETRIEVED
    )
    more = dict(source={'score': 'softmax'})  # scores 0, -1, -2, -3
    save_manifest(file, replace(load_manifest(file), **more))
    return file


def test_the_training_set_is_wrapped_with_its_wrappers(tmp_path, manifest):
    cfg = make_config(tmp_path)
    target = cfg.train_dataloader.dataset
    stacked = dict(type='RepeatDataset', times=3, dataset=target)
    wrapped = wrap_training_set(stacked, manifest)
    assert wrapped == dict(
        type='ltvl_mm.TACKLEDataset', manifest=str(manifest), dataset=stacked
    )
    assert stacked['dataset'] is target  # unchanged


@pytest.mark.parametrize('kind', ['ltvl_mm.TACKLEDataset', TACKLEDataset])
def test_a_second_wrap_is_refused(kind, tmp_path, manifest):
    cfg = make_config(tmp_path)
    inner = dict(type=kind, manifest='first.parquet', dataset=dict())
    cfg.train_dataloader.dataset = dict(type='RepeatDataset', dataset=inner)
    with pytest.raises(ValueError, match=r'first\.parquet.*leave out'):
        add_retrieved_images(cfg, manifest)


def test_what_cannot_be_wrapped_is_refused(tmp_path, manifest):
    cfg = make_config(tmp_path)
    with pytest.raises(ValueError, match='is not a file; give the manifest'):
        add_retrieved_images(cfg, tmp_path)
    cfg.train_dataloader = None
    with pytest.raises(ValueError, match='has no train_dataloader'):
        add_retrieved_images(cfg, manifest)


def test_later_tools_find_the_wrap_in_the_work_folder(
    run_here, tmp_path, manifest
):
    cfg = make_config(tmp_path)
    cfg.train_dataloader.dataset.data_root = 'elsewhere'
    config, work = tmp_path / 'student.py', tmp_path / 'work'
    cfg.dump(config)
    options = [f'train_dataloader.dataset.data_root={tmp_path}']
    log = run_here(
        *('python', 'tools/train.py', config, '--retrieved', manifest),
        *('--work-dir', work, '--cfg-options', *options),
    )
    assert f'the retrieved images of {manifest}' in log
    dataset = Config.fromfile(work / 'student.py').train_dataloader.dataset
    assert dataset.manifest == str(manifest)
    assert dataset.dataset.data_root == str(tmp_path)
    plain = json.loads((work / 'config.json').read_text())
    assert plain['train_dataloader']['dataset']['manifest'] == str(manifest)
    # Of the retrieved images one has p_k >= 0.5, the first of class 0.
    assert 'auto chooses filtered, because improbable images' in log
    weights = read_weights(find_checkpoint(work))
    assert weights['head.loss_module.class_counts'].tolist() == [2, 1]
    # The file of the work folder needs no option, the first one does.
    tool, out = 'analysis_tools/save_features.py', tmp_path / 'train.npz'
    run_tool_here(tool, work / 'student.py', work, '--split=train', '-o', out)
    expected = load_features(out)
    assert len(expected.features) == 2 + 1
    run_tool_here(
        *(tool, config, work, '--split=train', '-o', out),
        *('--retrieved', manifest, '--cfg-options', *options),
    )
    assert (load_features(out).features == expected.features).all()


def test_features_of_other_splits_have_no_retrieved_images(tmp_path, manifest):
    config = tmp_path / 'student.py'
    make_config(tmp_path).dump(config)
    with pytest.raises(SystemExit, match='--split test; leave it out'):
        run_tool_here(
            *('analysis_tools/save_features.py', config, tmp_path),
            *('--split=test', '-o', tmp_path / 'x.npz'),
            *('--retrieved', manifest),
        )

"""Checkpoints of trainings with and without PlainCheckpointHook."""

import pickle

import pytest
import torch
from mmengine.runner import Runner

from ltvl_mm.utils.checkpoints import read_checkpoint, read_weights

PLAIN = dict(type='ltvl_mm.PlainCheckpointHook')


def _train(target, folder, epochs, hooks=(), **options):
    target['pipeline'] = [
        dict(type='LoadImageFromFile'),
        dict(type='Resize', scale=32),
        dict(type='PackInputs'),
    ]
    runner = Runner(
        model=dict(
            type='ImageClassifier',
            data_preprocessor=dict(
                type='ClsDataPreprocessor', mean=[0] * 3, std=[1] * 3
            ),
            backbone=dict(
                type='ResNet', depth=18, base_channels=4, stem_channels=4
            ),
            neck=dict(type='GlobalAveragePooling'),
            head=dict(type='LinearClsHead', num_classes=3, in_channels=32),
        ),
        work_dir=str(folder),
        experiment_name=f'{folder.name}_{epochs}_{len(hooks)}',
        default_scope='mmpretrain',
        train_cfg=dict(by_epoch=True, max_epochs=epochs),
        optim_wrapper=dict(optimizer=dict(type='SGD', lr=0.01, momentum=0.9)),
        train_dataloader=dict(
            batch_size=4,
            dataset=target,
            sampler=dict(type='DefaultSampler', shuffle=False),
        ),
        custom_hooks=list(hooks),
        **options,
    )
    runner.train()
    return runner


@pytest.mark.parametrize('hooks', [(), (PLAIN,)], ids=['stock', 'plain'])
def test_checkpoints_load_in_our_tools_and_resume(hooks, target, tmp_path):
    _train(target, tmp_path, 1, hooks)
    file = tmp_path / 'epoch_1.pth'
    assert read_checkpoint(file)['meta']['epoch'] == 1
    assert 'head.fc.weight' in read_weights(tmp_path)
    runner = _train(target, tmp_path, 2, hooks, resume=True)
    assert runner.epoch == 2
    assert (tmp_path / 'epoch_2.pth').exists()
    # The history continues: two batches an epoch.
    history = runner.message_hub.get_scalar('train/loss')
    assert len(history.data[0]) == 4


def test_stock_torch_reads_only_plain_checkpoints(target, tmp_path):
    before = torch.serialization.get_safe_globals()
    torch.serialization.clear_safe_globals()
    try:
        for name, hooks in (('stock', ()), ('plain', (PLAIN,))):
            _train(target, tmp_path / name, 1, hooks)
        torch.load(tmp_path / 'plain/epoch_1.pth', weights_only=True)
        with pytest.raises(pickle.UnpicklingError):
            torch.load(tmp_path / 'stock/epoch_1.pth', weights_only=True)
    finally:
        torch.serialization.add_safe_globals(before)

"""Two processes on a machine without GPUs, as the shell script starts them."""

import json
import socket
from pathlib import Path

import numpy as np
import pytest
import torch
from toy_clip import write_toy_classifier

ROOT = Path(__file__).parents[2]
STUDENT = 'configs/toy/cross_entropy/cross_entropy_r18.py'
# Writes down what each rank trains on and what the metric scores.
RECORDER = """
import json, os
from pathlib import Path
from mmengine.dist import get_rank
from mmengine.hooks import Hook
from ltvl_mm.evaluation import ShotAccuracy

FOLDER = Path(os.environ['RECORDS'])


class RecordHook(Hook):
    def before_train(self, runner):
        self.paths = []

    def after_train_iter(self, runner, batch_idx, data_batch, outputs):
        self.paths += [s.img_path for s in data_batch['data_samples']]

    def after_train(self, runner):
        (FOLDER / f'{get_rank()}.json').write_text(json.dumps(self.paths))


class RecordingAccuracy(ShotAccuracy):
    def compute_metrics(self, results):
        (FOLDER / 'results.json').write_text(json.dumps(results))
        return super().compute_metrics(results)
"""


def find_free_port():
    with socket.socket() as server:
        server.bind(('127.0.0.1', 0))
        return server.getsockname()[1]


def test_two_processes_share_the_work_and_score_every_sample_once(
    run_tool, toy_home, toy_manifest, tmp_path
):
    (tmp_path / 'recorder.py').write_text(RECORDER)
    (tmp_path / 'data').symlink_to(toy_home / 'data')
    run_tool(
        ROOT / 'tools' / 'dist_train.sh',
        *(ROOT / STUDENT, 2, '--work-dir', tmp_path),
        *('--retrieved', toy_manifest, '--cfg-options'),
        'train_cfg.max_epochs=1',
        'train_cfg.val_interval=1',
        'train_dataloader.batch_size=16',
        'train_dataloader.sampler.epoch_size=128',
        'val_dataloader.batch_size=10',
        'val_dataloader.dataset.indices=95',  # the ranks cannot share it
        'default_hooks.record.type=recorder.RecordHook',
        'val_evaluator.type=recorder.RecordingAccuracy',
        cwd=tmp_path,  # mmengine collects results through a folder there
        PORT=str(find_free_port()),
        PYTHONPATH=str(tmp_path),
        RECORDS=str(tmp_path),
    )
    shares = [
        json.loads((tmp_path / f'{rank}.json').read_text())
        for rank in range(2)
    ]
    assert [len(share) for share in shares] == [64, 64]
    assert len(set(shares[0]) | set(shares[1])) == 128
    results = json.loads((tmp_path / 'results.json').read_text())
    assert [target for _, target in results] == list(range(95))
    pred, target = np.array(results).T
    assert (pred == target).mean() < 1  # or the metric saw the labels
    assert (tmp_path / 'epoch_1.pth').exists()


LEAF = """
_base_ = '{config}'

train_dataloader = dict(batch_size=8, sampler=dict(epoch_size=64))
val_dataloader = dict(batch_size=10, dataset=dict(indices=95))
test_dataloader = dict(batch_size=10, dataset=dict(indices=95))
optim_wrapper = dict(accumulative_counts=2)
auto_scale_lr = dict(base_batch_size=64)
# A mean over as many epochs as there are here, so that its weights differ.
custom_hooks = [
    dict(type='ltvl_mm.EpochSeedHook'),
    dict(type='EMAHook', momentum=0.5),
]
param_scheduler = []
train_cfg = dict(max_epochs=2, val_interval=1)
default_hooks = dict(checkpoint=dict(save_best='shot/all', rule='greater'))
"""


WEIGHTS = """
model = dict(
    backbone=dict(pretrained='{file}'), head=dict(pretrained='{file}')
)
"""


@pytest.mark.parametrize(
    'name', [STUDENT, *(f'configs/toy/ballad/ballad_{p}.py' for p in 'ab')]
)
def test_two_processes_train_to_the_end_and_test_as_one_does(
    run_tool, run_here, toy_home, toy_manifest, tmp_path, name
):
    config = tmp_path / 'leaf.py'
    text = LEAF.format(config=ROOT / name)
    retrieved = ('--retrieved', toy_manifest)
    if name != STUDENT:
        retrieved = ()
        clip = write_toy_classifier(tmp_path / 'clip.pth')
        text += WEIGHTS.format(file=clip)
    config.write_text(text)
    (tmp_path / 'data').symlink_to(toy_home / 'data')
    log = run_tool(
        *(ROOT / 'tools/dist_train.sh', config, 2, '--work-dir', tmp_path),
        *('--auto-scale-lr', *retrieved),
        cwd=tmp_path,
        PORT=str(find_free_port()),
    )
    # 2 ranks x 8 images x 2 batches are half of 64.
    assert 'Scaling the original LR by 0.5' in log
    state = torch.load(tmp_path / 'epoch_2.pth', weights_only=False)
    assert state['meta']['epoch'] == 2
    averaged, current = state['state_dict'], state['ema_state_dict']
    assert any(
        not torch.equal(weight, current[f'module.{part}'])
        for part, weight in averaged.items()
        if f'module.{part}' in current
    )
    checkpoint = tmp_path / 'epoch_2.pth'
    arguments = ('--work-dir', tmp_path, '--out-item', 'metrics', '--out')
    run_here(
        *('python', 'tools/test.py', config, checkpoint),
        *(*arguments, tmp_path / 'one.json'),
    )
    run_tool(
        *(ROOT / 'tools/dist_test.sh', config, checkpoint, 2),
        *(*arguments, tmp_path / 'two.json'),
        cwd=tmp_path,
        PORT=str(find_free_port()),
    )
    one, two = (
        json.loads((tmp_path / f'{name}.json').read_text())
        for name in ('one', 'two')
    )
    assert one.keys() == two.keys()
    for name, value in one.items():
        if isinstance(value, float | list):
            assert two[name] == pytest.approx(value, abs=1e-6), name

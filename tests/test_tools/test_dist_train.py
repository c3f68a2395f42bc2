"""Two processes on a machine without GPUs, as the shell script starts them."""

import json
import socket
from pathlib import Path

import numpy as np

ROOT = Path(__file__).parents[2]
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
    run_tool, tmp_path
):
    (tmp_path / 'recorder.py').write_text(RECORDER)
    run_tool(
        ROOT / 'tools' / 'dist_train.sh',
        *(ROOT / 'configs' / 'toy' / 'tackle_rx.py', 2),
        *('--work-dir', tmp_path, '--cfg-options'),
        'train_cfg.max_epochs=1',
        'train_cfg.val_interval=1',
        'train_dataloader.batch_size=16',
        'train_dataloader.sampler.epoch_size=128',
        'val_dataloader.batch_size=10',
        'val_dataloader.dataset.indices=95',  # the ranks cannot share it
        'default_hooks.record.type=recorder.RecordHook',
        'val_evaluator.type=recorder.RecordingAccuracy',
        cwd=tmp_path,  # the host collects results through a folder there
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

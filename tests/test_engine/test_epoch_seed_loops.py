"""EpochSeedHook in mmengine's two training loops."""

import random

import numpy as np
import pytest
import torch
from mmengine.hooks import Hook
from mmengine.model import BaseModel
from mmengine.runner import Runner
from torch.utils.data import Dataset

from ltvl_mm.engine.hooks import epoch_seed


class Draws(Dataset):
    """Numbers that augmentations of eight images draw."""

    def __len__(self):
        return 8

    def __getitem__(self, idx):
        drawn = np.random.rand()  # noqa: NPY002, transforms use it
        return torch.tensor([drawn, random.random(), torch.rand(()).item()])


class Model(BaseModel):
    """A model with dropout that keeps what it was given."""

    def __init__(self):
        super().__init__()
        self.layer = torch.nn.Linear(3, 1)
        self.seen = []

    def forward(self, *images, mode='loss'):
        inputs = torch.stack(images)
        dropped = torch.nn.functional.dropout(inputs, 0.5)
        self.seen.append((inputs.tolist(), dropped.tolist()))
        return {'loss': self.layer(dropped.float()).mean()}


class StopHook(Hook):
    """Interrupt a run after some iterations."""

    priority = 'LOWEST'

    def __init__(self, stop):
        self.stop = stop

    def after_train_iter(self, runner, batch_idx, data_batch, outputs):
        if runner.iter + 1 == self.stop:
            raise KeyboardInterrupt


@pytest.fixture
def logged(monkeypatch):
    """List of the sentences that the hook logs."""
    said = []
    monkeypatch.setattr(
        epoch_seed,
        'print_log',
        lambda text, *args, **kwargs: said.append(text),
    )
    return said


def train(
    folder, *, by_epoch=True, resume=False, stop=None, seeded=True, **loader
):
    """Train for 3 epochs or 6 iterations; return what the model saw."""
    length = dict(max_epochs=3) if by_epoch else dict(max_iters=6)
    workers = loader.setdefault('num_workers', 0)
    if seeded:
        loader.setdefault('worker_init_fn', dict(type='ltvl_mm.seed_worker'))
    loader.setdefault('persistent_workers', False)
    interval = dict(type='CheckpointHook', interval=1, by_epoch=by_epoch)
    runner = Runner(
        Model(),
        str(folder),
        train_dataloader=dict(
            dataset=Draws(),
            batch_size=4 if by_epoch else 1,
            sampler=dict(type='DefaultSampler', shuffle=True),
            **loader,
        ),
        train_cfg=dict(by_epoch=by_epoch, **length),
        optim_wrapper=dict(optimizer=dict(type='SGD', lr=0.1)),
        default_hooks=dict(checkpoint=interval, logger=None),
        custom_hooks=[dict(type='ltvl_mm.EpochSeedHook'), StopHook(stop)],
        randomness=dict(seed=0),
        resume=resume,
        experiment_name=f'{folder.name}_{resume}_{by_epoch}_{workers}',
    )
    try:
        runner.train()
    except KeyboardInterrupt:
        assert stop
    return runner.model.seen


@pytest.mark.parametrize('num_workers', [0, 2])
def test_a_resumed_training_by_epochs_repeats_an_undisturbed_one(
    tmp_path, logged, num_workers
):
    whole = train(tmp_path / 'whole', num_workers=num_workers)
    assert len(whole) == 6
    train(tmp_path / 'cut', num_workers=num_workers, stop=5)
    torch.rand(100)  # whatever was drawn before
    resumed = train(tmp_path / 'cut', num_workers=num_workers, resume=True)
    assert resumed == whole[-2:]
    assert logged == []


def test_a_training_by_iterations_says_that_a_resumed_run_differs(
    tmp_path, logged
):
    whole = train(tmp_path / 'cut', by_epoch=False, stop=4)
    assert len(whole) == 4
    resumed = train(tmp_path / 'cut', by_epoch=False, resume=True)
    # Other numbers than in the first iterations.
    assert not {str(seen) for seen in whole} & {str(seen) for seen in resumed}
    assert len(logged) == 2
    for sentence in logged:
        assert 'EpochSeedHook cannot repeat' in sentence
        assert 'run in IterBasedTrainLoop, which' in sentence
        assert sentence.endswith('dict(by_epoch=True, max_epochs=...)')


def test_workers_that_are_not_seeded_are_named(tmp_path, logged):
    train(tmp_path, num_workers=1, persistent_workers=True, stop=1)
    (sentence,) = logged
    assert 'train_dataloader.persistent_workers=False' in sentence


def test_a_worker_function_that_ignores_the_seed_is_named(tmp_path, logged):
    train(tmp_path, num_workers=1, seeded=False, stop=1)
    (sentence,) = logged
    assert 'worker_init_fn=dict(' in sentence

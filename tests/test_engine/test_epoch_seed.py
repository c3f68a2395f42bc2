import random
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from mmengine.registry import HOOKS
from mmengine.runner import get_priority
from torch.utils.data import DataLoader, Dataset

from ltvl_mm.datasets.worker_seed import seed_worker
from ltvl_mm.engine.hooks import epoch_seed


class Draws(Dataset):
    """What augmentations of five images draw."""

    def __len__(self):
        return 5

    def __getitem__(self, idx):
        drawn = np.random.rand()  # noqa: NPY002, transforms use it
        return drawn, random.random(), torch.rand(()).item()


@pytest.fixture
def hook():
    return HOOKS.build(dict(type='ltvl_mm.EpochSeedHook'))


def run_epoch(hook, epoch, *, seed=0, workers=2):
    """Return dropout's draw and what the samples draw."""
    hook.before_train_epoch(SimpleNamespace(seed=seed, epoch=epoch))
    loader = DataLoader(
        Draws(), num_workers=workers, worker_init_fn=seed_worker
    )
    samples = [tuple(float(part) for part in batch) for batch in loader]
    return [(torch.rand(()).item(),), *samples]


@pytest.mark.parametrize('workers', [0, 2])
def test_an_epoch_draws_the_same_whether_reached_or_resumed_at(hook, workers):
    walked = [run_epoch(hook, epoch, workers=workers) for epoch in range(3)]
    torch.rand(100)  # whatever was drawn before
    random.random()
    assert run_epoch(hook, 2, workers=workers) == walked[2]
    assert run_epoch(hook, 1, workers=workers) == walked[1]


@pytest.mark.parametrize('workers', [0, 2])
def test_epochs_and_seeds_draw_differently(hook, workers):
    draws = [
        run_epoch(hook, epoch, seed=seed, workers=workers)
        for seed, epoch in ((0, 0), (0, 1), (1, 0), (1, 2), (2, 1))
    ]
    for sample in zip(*draws, strict=True):
        for column in zip(*sample, strict=True):
            assert len(set(column)) == len(draws)


def test_ranks_draw_differently(hook, monkeypatch):
    first = run_epoch(hook, 0, workers=0)
    monkeypatch.setattr(epoch_seed, 'get_rank', lambda: 1)
    assert run_epoch(hook, 0, workers=0) != first


def test_it_runs_before_the_hooks_that_may_draw(hook):
    assert get_priority(hook.priority) < get_priority('NORMAL')

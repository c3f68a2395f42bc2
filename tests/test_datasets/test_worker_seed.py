import random

import numpy as np
import torch
from torch.utils.data import DataLoader, Dataset

from ltvl_mm.datasets.worker_seed import seed_worker


class Draws(Dataset):
    """A number from each generator that transforms draw from."""

    def __len__(self):
        return 4

    def __getitem__(self, idx):
        drawn = np.random.rand()  # noqa: NPY002, transforms use it
        return drawn, random.random(), torch.rand(()).item()


def draw_epoch(seed):
    torch.manual_seed(seed)
    loader = DataLoader(
        Draws(), batch_size=1, num_workers=2, worker_init_fn=seed_worker
    )
    return [tuple(number.item() for number in batch) for batch in loader]


def test_the_main_seed_decides_what_workers_draw():
    assert draw_epoch(1) == draw_epoch(1)


def test_no_two_draws_agree_between_workers_samples_and_epochs():
    rows = draw_epoch(1) + draw_epoch(2)
    for column in zip(*rows, strict=True):
        assert len(set(column)) == 8

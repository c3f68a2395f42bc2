"""Seeded random generators."""

import random

import numpy as np


def make_generator(*path: int) -> np.random.Generator:
    """Return the generator that belongs to a path such as (seed, epoch).

    The numbers are mixed, not added: ``seed + epoch`` or ``seed * epoch``
    would make seed 1 in epoch 2 repeat seed 2 in epoch 1.

    Args:
        path: Non-negative integers, e.g. seed, epoch, index.

    Raises:
        ValueError: If a number is negative.
    """
    if any(number < 0 for number in path):
        raise ValueError(f'seeds must be >= 0, got {path}')
    return np.random.default_rng(path)


def seed_libraries(*path: int) -> None:
    """Seed torch, numpy and random of this process by a path of numbers.

    Data-loader workers that are started afterwards follow torch's seed.
    """
    import torch  # other uses of this module need numpy alone

    seed = make_generator(*path).integers(2**32)
    torch.manual_seed(int(seed))
    np.random.seed(seed)  # noqa: NPY002, the transforms draw from it
    random.seed(int(seed))

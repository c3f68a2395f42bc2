"""Seeds of data-loader workers."""

import random

import numpy as np
import torch

from ltvl_mm.registry import FUNCTIONS


@FUNCTIONS.register_module()
def seed_worker(worker_id: int) -> None:
    """Seed numpy and random in a worker as torch seeded itself.

    Torch derives a worker's seed from the main process at each epoch, which
    EpochSeedHook seeds by [seed, epoch, rank]. mmengine's own
    ``worker_init_fn`` seeds by the worker alone: with workers that are
    started anew each epoch, all epochs then see the same augmentations.
    """
    seed = torch.initial_seed() % 2**32
    np.random.seed(seed)  # noqa: NPY002, the transforms draw from it
    random.seed(seed)

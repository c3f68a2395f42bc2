"""Randomness of an epoch that does not depend on how it was reached."""

import random

import numpy as np
import torch
from mmengine.dist import get_rank
from mmengine.hooks import Hook
from mmengine.runner import Runner

from ltvl_mm.registry import HOOKS
from ltvl_mm.utils.rng import make_generator


@HOOKS.register_module()
class EpochSeedHook(Hook):
    """Seed torch, numpy and random by [seed, epoch, rank] at each epoch.

    Dropout and (through ``ltvl_mm.seed_worker``) augmentation are then the
    same in a run that was killed and resumed as in one that was not. The
    latter needs ``persistent_workers=False``: workers that live on are
    seeded at their start alone.
    """

    priority = 'VERY_HIGH'

    def before_train_epoch(self, runner: Runner) -> None:
        """Seed; the host makes the loader's workers right after this."""
        seed = make_generator(runner.seed, runner.epoch, get_rank()).integers(
            2**32
        )
        torch.manual_seed(int(seed))
        np.random.seed(seed)  # noqa: NPY002, the transforms draw from it
        random.seed(int(seed))

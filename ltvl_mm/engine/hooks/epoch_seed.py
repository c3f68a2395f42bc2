"""Randomness of an epoch that does not depend on how it was reached."""

from mmengine.dist import get_rank
from mmengine.hooks import Hook
from mmengine.runner import Runner

from ltvl_mm.registry import HOOKS
from ltvl_mm.utils.rng import seed_libraries


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
        seed_libraries(runner.seed, runner.epoch, get_rank())

"""Hooks, and how the optimiser is built."""

from ltvl_mm.engine.hooks import (
    ClassCountsHook,
    EpochSeedHook,
    ProgressBarHook,
)
from ltvl_mm.engine.optimizers import TrainableOptimWrapperConstructor

__all__ = [
    'ClassCountsHook',
    'EpochSeedHook',
    'ProgressBarHook',
    'TrainableOptimWrapperConstructor',
]

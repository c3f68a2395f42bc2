"""Hooks, and how the optimiser is built."""

from ltvl_mm.engine.hooks import (
    ClassCountsHook,
    ClassMeansHook,
    EpochSeedHook,
    ProgressBarHook,
)
from ltvl_mm.engine.optimizers import TrainableOptimWrapperConstructor

__all__ = [
    'ClassCountsHook',
    'ClassMeansHook',
    'EpochSeedHook',
    'ProgressBarHook',
    'TrainableOptimWrapperConstructor',
]

"""Hooks of the host's Runner."""

from ltvl_mm.engine.hooks.class_counts import ClassCountsHook
from ltvl_mm.engine.hooks.class_means import ClassMeansHook
from ltvl_mm.engine.hooks.epoch_seed import EpochSeedHook
from ltvl_mm.engine.hooks.plain_checkpoint import PlainCheckpointHook
from ltvl_mm.engine.hooks.progress_bar import ProgressBarHook

__all__ = [
    'ClassCountsHook',
    'ClassMeansHook',
    'EpochSeedHook',
    'PlainCheckpointHook',
    'ProgressBarHook',
]

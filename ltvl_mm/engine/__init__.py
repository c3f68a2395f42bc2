"""Hooks."""

from ltvl_mm.engine.hooks import EpochSeedHook, ProgressBarHook

__all__ = ['EpochSeedHook', 'ProgressBarHook']

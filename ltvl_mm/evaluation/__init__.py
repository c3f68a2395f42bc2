"""Metrics."""

from ltvl_mm.evaluation.shot_accuracy import ShotAccuracy

__all__ = ['ShotAccuracy']

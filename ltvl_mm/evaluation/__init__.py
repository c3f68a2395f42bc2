"""Metrics."""

from ltvl_mm.evaluation.prediction_writer import PredictionWriter
from ltvl_mm.evaluation.routing_cost import RoutingCost
from ltvl_mm.evaluation.shot_accuracy import ShotAccuracy

__all__ = ['PredictionWriter', 'RoutingCost', 'ShotAccuracy']

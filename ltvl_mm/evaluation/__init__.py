"""Metrics."""

from ltvl_mm.utils.lazy_imports import attach_names

__getattr__, __dir__, __all__ = attach_names(
    __name__,
    {
        'prediction_writer': ['PredictionWriter'],
        'routing_cost': ['RoutingCost'],
        'shot_accuracy': ['ShotAccuracy'],
    },
)

"""Whole classifiers: several experts, members or stages."""

from ltvl_mm.utils.lazy_imports import attach_names

__getattr__, __dir__, __all__ = attach_names(
    __name__,
    {
        'average_logit_tta': ['AverageLogitTTA'],
        'decoupled_classifier': ['DecoupledClassifier'],
        'distilled_classifier': ['DistilledClassifier'],
        'ensemble_classifier': ['EnsembleClassifier'],
        'gpaco_classifier': ['GPaCoClassifier'],
        'paco_classifier': ['PaCoClassifier'],
        'routed_classifier': ['RoutedClassifier'],
    },
)

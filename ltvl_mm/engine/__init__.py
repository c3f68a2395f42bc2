"""Hooks, and how the optimizer is built."""

from ltvl_mm.utils.lazy_imports import attach_names

__getattr__, __dir__, __all__ = attach_names(
    __name__,
    {
        'hooks': [
            'AverageRunsHook',
            'ClassCountsHook',
            'ChannelsLastHook',
            'ClassMeansHook',
            'EpochSeedHook',
            'LearningRateFactorHook',
            'PlainCheckpointHook',
            'ProgressBarHook',
            'RetrievedWeightHook',
            'TransformEpochHook',
        ],
        'optimizers': [
            'BFloat16OptimWrapper',
            'TrainableOptimWrapperConstructor',
        ],
    },
)

"""Hooks of mmengine's Runner."""

from ltvl_mm.utils.lazy_imports import attach_names

__getattr__, __dir__, __all__ = attach_names(
    __name__,
    {
        'average_runs': ['AverageRunsHook'],
        'channels_last': ['ChannelsLastHook'],
        'class_counts_hook': ['ClassCountsHook'],
        'class_means': ['ClassMeansHook'],
        'epoch_seed': ['EpochSeedHook'],
        'learning_rate_factor': ['LearningRateFactorHook'],
        'plain_checkpoint': ['PlainCheckpointHook'],
        'progress_bar': ['ProgressBarHook'],
        'retrieved_weights': ['RetrievedWeightHook'],
        'run_record': ['RunRecordHook'],
        'transform_epoch': ['TransformEpochHook'],
    },
)

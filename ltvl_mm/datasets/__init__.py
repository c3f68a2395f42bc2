"""Data sets, wrappers and samplers."""

from ltvl_mm.utils.lazy_imports import attach_names

__getattr__, __dir__, __all__ = attach_names(
    __name__,
    {
        'cached_features': ['CachedFeatures'],
        'captioned_images': ['CaptionedImages'],
        'class_samplers': ['PowerSampler', 'ProgressivelyBalancedSampler'],
        'emoji_corpus': ['EmojiCorpus'],
        'emoji_world': ['EmojiWorld'],
        'feature_batch': ['pack_labels'],
        'fixed_crop': ['FixedCrop'],
        'imbalance_subset': ['ImbalanceSubset'],
        'load_image': ['LoadImage'],
        'minimalist_crop': ['MinimalistCrop'],
        'retrieved': ['RetrievedDataset'],
        'samplers': ['ClassBalancedSampler', 'FixedEpochSampler'],
        'share_sampler': ['RetrievedShareSampler'],
        'tackle': ['TACKLEDataset'],
        'views': ['PackViews'],
        'worker_seed': ['seed_worker'],
    },
)

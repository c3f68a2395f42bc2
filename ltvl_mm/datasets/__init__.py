"""Data sets, wrappers and samplers."""

from ltvl_mm.datasets.cached_features import CachedFeatures
from ltvl_mm.datasets.captioned_images import CaptionedImages
from ltvl_mm.datasets.class_samplers import (
    PowerSampler,
    ProgressivelyBalancedSampler,
)
from ltvl_mm.datasets.emoji_corpus import EmojiCorpus
from ltvl_mm.datasets.emoji_world import EmojiWorld
from ltvl_mm.datasets.feature_batch import pack_labels
from ltvl_mm.datasets.fixed_crop import FixedCrop
from ltvl_mm.datasets.load_image import LoadImage
from ltvl_mm.datasets.retrieved import RetrievedDataset
from ltvl_mm.datasets.samplers import ClassBalancedSampler, FixedEpochSampler
from ltvl_mm.datasets.tackle import TACKLEDataset
from ltvl_mm.datasets.toy_world import ToyWorld
from ltvl_mm.datasets.views import PackViews
from ltvl_mm.datasets.worker_seed import seed_worker

__all__ = [
    'CachedFeatures',
    'CaptionedImages',
    'ClassBalancedSampler',
    'EmojiCorpus',
    'EmojiWorld',
    'FixedCrop',
    'FixedEpochSampler',
    'LoadImage',
    'PackViews',
    'PowerSampler',
    'ProgressivelyBalancedSampler',
    'RetrievedDataset',
    'TACKLEDataset',
    'ToyWorld',
    'pack_labels',
    'seed_worker',
]

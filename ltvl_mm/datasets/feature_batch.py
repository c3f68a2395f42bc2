"""A batch of features that need not come apart into samples."""

from collections.abc import Sequence

import torch
from mmpretrain.structures import DataSample

from ltvl_mm.registry import FUNCTIONS


class FeatureBatch(Sequence):
    """B samples, each made when it is asked for.

    Args:
        features: (B, D).
        labels: (B,) classes.
    """

    def __init__(self, features: torch.Tensor, labels: torch.Tensor) -> None:
        self.features = features
        self.labels = labels

    def __len__(self) -> int:
        return len(self.labels)

    def __getitem__(self, row: int) -> dict:
        """Return the (D,) features of a sample and its label."""
        return {
            'inputs': self.features[row],
            'data_samples': DataSample(gt_label=self.labels[row, None]),
        }


@FUNCTIONS.register_module()
def pack_labels(batch: FeatureBatch | Sequence[dict]) -> dict:
    """Collate a training batch without a loop over its samples.

    All labels go into one sample: the heads join those of all samples in any
    case before they compute a loss. To predict, or with ``to_onehot`` and
    mixup, a head needs a sample per image: use ``default_collate``.

    Args:
        batch: Features as CachedFeatures returns them, or separate samples,
            as mmengine's wrappers around it do.
    """
    if not isinstance(batch, FeatureBatch):
        batch = FeatureBatch(
            torch.stack([sample['inputs'] for sample in batch]),
            torch.cat([sample['data_samples'].gt_label for sample in batch]),
        )
    return {
        'inputs': batch.features,
        'data_samples': [DataSample(gt_label=batch.labels)],
    }

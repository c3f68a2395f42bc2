"""Batches of cached features, collated without a loop over samples."""

from collections.abc import Sequence
from typing import Any

import torch
from mmpretrain.structures import DataSample

from ltvl_mm.registry import FUNCTIONS


class PackedSample(DataSample):
    """One ``DataSample`` that holds the labels of a whole batch.

    It serves to compute a loss. It cannot hold soft labels or predictions,
    which need a sample per image: setting them raises ValueError.
    """

    def set_gt_score(self, value: object) -> 'DataSample':
        """Raise ValueError for soft labels, which ``to_onehot`` and Mixup set.

        Raises:
            ValueError: Always.
        """
        raise ValueError(
            'pack_labels holds the labels of a batch in one sample, of which '
            'to_onehot, Mixup and CutMix would make one soft label for all '
            "images; write collate_fn=dict(type='default_collate') in the "
            'data loader, or remove to_onehot'
        )

    def set_pred_score(self, value: object) -> 'DataSample':
        """Raise ValueError for predictions, which need a sample per image.

        Raises:
            ValueError: Always.
        """
        raise ValueError(
            'pack_labels holds the labels of a batch in one sample, which '
            'cannot hold the predictions of several images; write '
            "collate_fn=dict(type='default_collate') in the data loader"
        )


class FeatureBatch(Sequence):
    """Sequence of B samples, each created when it is indexed.

    Args:
        features: (B, D) features.
        labels: (B,) class indices.
        paths: Paths of the B images, which identify predictions; None
            (default) for samples without path.
    """

    def __init__(
        self,
        features: torch.Tensor,
        labels: torch.Tensor,
        paths: Sequence[str] | None = None,
    ) -> None:
        self.features = features
        self.labels = labels
        self.paths = paths

    def __len__(self) -> int:
        return len(self.labels)

    def __getitem__(self, row: Any) -> Any:  # noqa: ANN401
        """Return the (D,) features of a sample, its label and path."""
        sample = DataSample(gt_label=self.labels[row, None])
        if self.paths is not None:
            sample.set_metainfo({'img_path': self.paths[row]})
        return {'inputs': self.features[row], 'data_samples': sample}


@FUNCTIONS.register_module()
def pack_labels(batch: FeatureBatch | Sequence[dict]) -> dict:
    """Collate a training batch without a loop over its samples.

    All labels go into one :class:`PackedSample`, since heads concatenate the
    labels of all samples before they compute a loss. Predictions,
    ``to_onehot`` and Mixup need a sample per image; use ``default_collate``
    for them.

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
        'data_samples': [PackedSample(gt_label=batch.labels)],
    }

"""A batch of features that need not come apart into samples."""

from collections.abc import Sequence
from typing import Any

import torch
from mmpretrain.structures import DataSample

from ltvl_mm.registry import FUNCTIONS


class PackedSample(DataSample):
    """The labels of a batch in one sample, for a loss only.

    Values per image would silently be those of the first image, or be added
    to those of the others: they are refused.
    """

    def set_gt_score(self, value: object) -> 'DataSample':
        """Refuse soft labels, which ``to_onehot`` and Mixup set.

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
        """Refuse predictions, which need a sample per image.

        Raises:
            ValueError: Always.
        """
        raise ValueError(
            'pack_labels holds the labels of a batch in one sample, which '
            'cannot hold the predictions of several images; write '
            "collate_fn=dict(type='default_collate') in the data loader"
        )


class FeatureBatch(Sequence):
    """B samples, each made when it is asked for.

    Args:
        features: (B, D).
        labels: (B,) classes.
        paths: Paths of the B images, by which predictions are told apart;
            None leaves them out.
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

    All labels go into one sample: the heads join those of all samples in any
    case before they compute a loss. To predict, or with ``to_onehot`` and
    mixup, a head needs a sample per image: these are refused by
    :class:`PackedSample`; use ``default_collate``.

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

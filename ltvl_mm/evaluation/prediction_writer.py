"""Save the predictions of a model for each image."""

from collections.abc import Sequence

import numpy as np
from mmengine.evaluator import BaseMetric

from ltvl_mm.registry import METRICS
from ltvl_mm.structures.predictions import (
    UNKNOWN,
    save_predictions,
    sort_predictions,
)


@METRICS.register_module()
class PredictionWriter(BaseMetric):
    """Write the predictions of all ranks to one file; measure nothing.

    Args:
        path: The ``.npz``, see :mod:`ltvl_mm.structures.predictions`.
        collect_device: ``'cpu'`` or ``'gpu'``.
    """

    def __init__(self, path: str, *, collect_device: str = 'cpu') -> None:
        super().__init__(collect_device=collect_device)
        self.path = path

    def process(
        self, data_batch: object, data_samples: Sequence[dict]
    ) -> None:
        """Keep path, label and scores of each sample of a batch.

        An image of a list without labels is of no known class.

        Raises:
            ValueError: If a sample does not say where its image is.
        """
        for sample in data_samples:
            if 'img_path' not in sample:
                raise ValueError(
                    'PredictionWriter tells images by img_path, but a sample '
                    'has none; let PackInputs keep it'
                )
            scores = sample['pred_score'].float().cpu().numpy()
            label = int(sample.get('gt_label', UNKNOWN))
            self.results.append((sample['img_path'], label, scores))

    def compute_metrics(self, results: list[tuple]) -> dict:
        """Write the file; on rank 0 alone."""
        paths, labels, scores = zip(*results, strict=True)
        save_predictions(
            self.path,
            sort_predictions(
                np.stack(scores),
                np.array(labels),
                paths,
                (self.dataset_meta or {}).get('classes'),
            ),
        )
        return {}

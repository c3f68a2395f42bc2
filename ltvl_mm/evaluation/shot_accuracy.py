"""The metric of the papers: many-, medium- and few-shot accuracy."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from mmengine.evaluator import BaseMetric

from ltvl_mm.evaluation.functional import (
    compute_class_accuracies,
    summarize_accuracies,
)
from ltvl_mm.registry import METRICS
from ltvl_mm.structures.class_counts import group_classes, load_class_counts


@METRICS.register_module()
class ShotAccuracy(BaseMetric):
    """Top-1 accuracy of many-, medium- and few-shot classes, and of all.

    Keeps two integers per image, so that 8,142 classes cost no memory, and
    takes the best class whatever the sign of its score.

    Args:
        class_counts: Images per class of the ORIGINAL training set: its
            ``path label`` list, its folder of class folders, a ``.json`` of
            numbers, or the numbers.
        num_classes: K.
        ties: Group of classes with exactly 100 or 20 images, ``'medium'``
            or ``'outer'`` (OLTR's code); see
            :func:`ltvl_mm.structures.class_counts.group_classes`.
        per_class: Also return ``per_class``, K accuracies (None for a class
            without test images).
        collect_device: ``'cpu'`` or ``'gpu'``.
        prefix: Prefix of the metric's names.

    Attributes:
        class_counts: (K,) images of the original training set.
        class_accuracies: (K,) percent as evaluated last, NaN for a class
            without test images; None before, and on all ranks but the first.

    Raises:
        ValueError: If the counts do not fit K classes, when it is built.
    """

    default_prefix = 'shot'

    def __init__(
        self,
        class_counts: str | Sequence[int],
        num_classes: int,
        *,
        ties: str = 'medium',
        per_class: bool = False,
        collect_device: str = 'cpu',
        prefix: str | None = None,
    ) -> None:
        super().__init__(collect_device=collect_device, prefix=prefix)
        self.class_counts = load_class_counts(class_counts, num_classes)
        self.class_accuracies: np.ndarray | None = None
        self.groups = group_classes(self.class_counts, ties=ties)
        self.per_class = per_class

    def process(
        self, data_batch: object, data_samples: Sequence[dict]
    ) -> None:
        """Keep (predicted, true) of each sample of a batch.

        Raises:
            ValueError: If a sample has no label, or that of no class.
        """
        for sample in data_samples:
            if sample.get('gt_label', -1) < 0:
                raise ValueError(
                    f'{sample.get("img_path", "an image")} is of no known '
                    f'class, but ShotAccuracy measures those; to save what a '
                    f'model says of such images: tools/test.py --out X.npz '
                    f"--cfg-options 'test_evaluator=[]'"
                )
            pred = (
                sample['pred_score'].argmax()
                if 'pred_score' in sample
                else sample['pred_label']
            )
            self.results.append((int(pred), int(sample['gt_label'])))

    def compute_metrics(self, results: list[tuple[int, int]]) -> dict:
        """Score all samples of all ranks, each once."""
        pred, target = np.array(results, np.int64).reshape(-1, 2).T
        metrics: dict[str, Any] = summarize_accuracies(
            pred, target, self.groups
        )
        self.class_accuracies = compute_class_accuracies(
            pred, target, len(self.groups)
        )
        if self.per_class:
            metrics['per_class'] = [
                None if np.isnan(accuracy) else float(accuracy)
                for accuracy in self.class_accuracies
            ]
        return metrics

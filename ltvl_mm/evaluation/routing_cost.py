"""Number of evaluated experts per image, and their multiply-adds."""

from collections.abc import Sequence

import numpy as np
from mmengine.evaluator import BaseMetric

from ltvl_mm.registry import METRICS
from ltvl_mm.structures.class_counts import (
    GROUPS,
    group_classes,
    load_class_counts,
)

FIELDS = ('experts_used', 'multiply_adds')


@METRICS.register_module()
class RoutingCost(BaseMetric):
    """Mean experts and multiply-adds of an image, by group and of all.

    Of what ``RoutedClassifier`` predicts. ``experts_used/many``, ``medium``
    and ``few`` are means over the images of such classes, ``all`` over all
    images; ``multiply_adds/...`` likewise. A group without images is absent.

    Args:
        class_counts: Training images per class, as ``ShotAccuracy`` takes
            them.
        num_classes: K.
        collect_device: ``'cpu'`` or ``'gpu'``.
        prefix: Prefix of the metric's names.

    Raises:
        ValueError: If the counts do not fit K classes, when it is built.
    """

    default_prefix = 'routing'

    def __init__(
        self,
        class_counts: str | Sequence[int],
        num_classes: int,
        *,
        collect_device: str = 'cpu',
        prefix: str | None = None,
    ) -> None:
        super().__init__(collect_device=collect_device, prefix=prefix)
        self.groups = group_classes(
            load_class_counts(class_counts, num_classes)
        )

    def process(
        self, data_batch: object, data_samples: Sequence[dict]
    ) -> None:
        """Keep class and costs of each sample of a batch.

        Raises:
            ValueError: If a sample does not say what it cost.
        """
        for sample in data_samples:
            if FIELDS[0] not in sample:
                raise ValueError(
                    'RoutingCost needs predictions of RoutedClassifier, but a '
                    'sample has no experts_used'
                )
            costs = (sample[field] for field in FIELDS)
            self.results.append((int(sample['gt_label']), *costs))

    def compute_metrics(self, results: list[tuple[int, int, int]]) -> dict:
        """Average over all samples of all ranks, each once."""
        target, *costs = np.array(results, np.int64).T
        group = self.groups[target]
        places = {name: group == name for name in GROUPS}
        places['all'] = np.full(len(target), True)
        return {
            f'{field}/{name}': float(cost[place].mean())
            for field, cost in zip(FIELDS, costs, strict=True)
            for name, place in places.items()
            if place.any()
        }

"""One image as several models want to see it."""

import copy
from collections.abc import Mapping, Sequence

from mmcv.transforms import BaseTransform, Compose

from ltvl_mm.registry import TRANSFORMS


@TRANSFORMS.register_module()
class PackViews(BaseTransform):
    """Pack the views of an image for ``ltvl_mm.EnsembleClassifier``.

    Args:
        views: Name of a member -> its pipeline, which ends in PackInputs.

    Raises:
        ValueError: If there is no view.
    """

    def __init__(self, views: Mapping[str, Sequence[dict]]) -> None:
        if not views:
            raise ValueError('PackViews needs at least one view, got none')
        self.views = {name: Compose(steps) for name, steps in views.items()}

    def transform(self, results: dict) -> dict:
        """Return ``inputs``, name -> tensor, and ``data_samples``."""
        packed = {
            name: view(copy.deepcopy(results))
            for name, view in self.views.items()
        }
        first = next(iter(packed.values()))
        return {
            'inputs': {name: view['inputs'] for name, view in packed.items()},
            'data_samples': first['data_samples'],
        }

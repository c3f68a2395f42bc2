"""Samples of a target and of a retrieved data set as one sequence."""

import numpy as np
from mmengine.dataset import force_full_init

from ltvl_mm.datasets.retrieved import RetrievedDataset
from ltvl_mm.datasets.subset import count_from_start
from ltvl_mm.structures.classification_dataset import ClassificationDataset


class OriginMixin:
    """Labels, origins and probabilities of two data sets together.

    Children have ``dataset``, the target, whose ``_target_size`` samples come
    first; ``retrieved``; the ``_labels`` of both; and ``_rows``, the samples
    of a subset, or None for all.
    """

    dataset: ClassificationDataset
    retrieved: RetrievedDataset
    _labels: np.ndarray
    _target_size: int
    _rows: np.ndarray | None

    def __len__(self) -> int:
        raise NotImplementedError

    @force_full_init
    def get_origin(self, idx: int) -> str:
        """Return ``'target'`` or ``'retrieved'``."""
        return self._name_origin(self._locate(idx)[0])

    @force_full_init
    def get_origins(self) -> np.ndarray:
        """Return (N,) booleans, True for retrieved images."""
        return self._choose(np.arange(len(self._labels)) >= self._target_size)

    @force_full_init
    def get_probabilities(self) -> np.ndarray:
        """Return (N,) probabilities p_k; 1 for target images.

        Raises:
            ValueError: If the manifest has none.
        """
        found = np.ones(len(self._labels))
        found[self._target_size :] = self.retrieved.get_probabilities()
        return self._choose(found)

    @force_full_init
    def get_cat_ids(self, idx: int) -> list[int]:
        """Return the class of sample ``idx`` in a list, as mmengine does."""
        return [int(self._labels[self._find_row(idx)])]

    @force_full_init
    def get_gt_labels(self) -> np.ndarray:
        """Return the (N,) labels of all samples."""
        return self._choose(self._labels)

    def _choose(self, values: np.ndarray) -> np.ndarray:
        """Return a copy of the values of the samples of this subset."""
        return values.copy() if self._rows is None else values[self._rows]

    def _find_row(self, idx: int) -> int:
        """Return the index among target and retrieved images together."""
        # Not len(self): a sample is located in every __getitem__, and the
        # check of force_full_init takes as long as all of this.
        size = len(self._labels if self._rows is None else self._rows)
        row = count_from_start(idx, size)
        return row if self._rows is None else int(self._rows[row])

    def _locate(self, idx: int) -> tuple[ClassificationDataset, int]:
        row = self._find_row(idx)
        if row < self._target_size:
            return self.dataset, row
        return self.retrieved, row - self._target_size

    def _name_origin(self, dataset: object) -> str:
        return 'target' if dataset is self.dataset else 'retrieved'

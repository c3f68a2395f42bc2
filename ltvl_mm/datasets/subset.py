"""Subsets of data sets, with the interface of mmengine's BaseDataset."""

import copy
import operator
from collections.abc import Sequence
from typing import Any

import numpy as np
from mmengine.dataset import force_full_init


def select_samples(
    count: int, indices: int | Sequence[int] | np.ndarray
) -> np.ndarray:
    """Return (n,) int64 sample indices as mmengine's ``get_subset`` does.

    Args:
        count: Number of samples N.
        indices: n >= 0 for the first n samples, n < 0 for the last -n; or
            indices in [-N, N).

    Raises:
        ValueError: If an index or a number lies outside the data set.
    """
    if isinstance(indices, (int, np.integer)):
        if abs(int(indices)) > count:
            raise ValueError(
                f'cannot take a subset of {indices} of {count} samples'
            )
        rows = np.arange(count)
        return rows[: int(indices)] if indices >= 0 else rows[int(indices) :]
    rows = np.asarray(indices, np.int64).reshape(-1)
    outside = (rows < -count) | (rows >= count)
    if outside.any():
        raise ValueError(
            f'a subset of {count} samples cannot have the index '
            f'{rows[outside][0]}'
        )
    return rows % max(count, 1)


def count_from_start(idx: int, size: int) -> int:
    """Return the index in [0, size) of a sample of ``size``.

    Args:
        idx: Index in [-size, size), of any integer type.
        size: Number of samples.

    Raises:
        IndexError: If it lies outside.
        TypeError: If it is not an integer.
    """
    place = operator.index(idx)
    if not -size <= place < size:
        raise IndexError(f'index {place} of {size} samples')
    return place % size


class SubsetMixin:
    """``get_subset``, ``get_subset_`` and ``class_to_idx`` of a data set.

    Children locate sample ``idx`` of the subset at index
    ``self._rows[idx]`` of the whole data set; ``_rows`` is None for all.
    """

    # mmengine has no class names for a data set without them.
    CLASSES: Any
    _rows: np.ndarray | None = None

    def __len__(self) -> int:
        raise NotImplementedError

    @property
    def class_to_idx(self) -> dict[str, int]:
        """Class name -> class index."""
        return {name: index for index, name in enumerate(self.CLASSES)}

    @force_full_init
    def get_subset_(self, indices: int | Sequence[int]) -> None:
        """Keep the given samples only; see :func:`select_samples`."""
        chosen = select_samples(len(self), indices)
        self._rows = chosen if self._rows is None else self._rows[chosen]

    @force_full_init
    def get_subset(self, indices: int | Sequence[int]) -> 'SubsetMixin':
        """Return a data set of the given samples; see ``select_samples``.

        It shares annotations and transforms with this one.
        """
        subset = copy.copy(self)
        subset.get_subset_(indices)
        return subset

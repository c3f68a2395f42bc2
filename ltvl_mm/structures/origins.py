"""Origins and probabilities of training images, target or retrieved."""

from typing import Any

import numpy as np
from mmengine.dataset import (
    ClassBalancedDataset,
    ConcatDataset,
    RepeatDataset,
)

from ltvl_mm.utils.pipelines import list_innermost


def read_origins(dataset: object) -> np.ndarray:
    """Return (N,) booleans, True for the retrieved images of a data set.

    Args:
        dataset: Data set, or mmengine's wrappers around ones; those with
            retrieved images have ``get_origins``, as
            :class:`ltvl_mm.datasets.TACKLEDataset` has.

    Raises:
        ValueError: If a wrapper hides which images are retrieved.
    """
    return _read(dataset, 'get_origins', False)


def read_probabilities(dataset: object) -> np.ndarray:
    """Return (N,) float64 probabilities p_k: 1 for target images.

    Args:
        dataset: Data set, as for :func:`read_origins`.

    Raises:
        ValueError: If a wrapper hides which images are retrieved, or the
            manifest has no probabilities.
    """
    return _read(dataset, 'get_probabilities', 1.0)


def _read(dataset: Any, method: str, of_target: float) -> np.ndarray:  # noqa: ANN401
    if hasattr(dataset, method):
        return getattr(dataset, method)()
    kind = type(dataset)
    if kind is ConcatDataset:
        return np.concatenate(
            [_read(part, method, of_target) for part in dataset.datasets]
        )
    if kind is RepeatDataset:
        return np.tile(
            _read(dataset.dataset, method, of_target), dataset.times
        )
    if kind is ClassBalancedDataset:
        dataset.full_init()
        rows = np.asarray(dataset.repeat_indices, np.int64)
        return _read(dataset.dataset, method, of_target)[rows]
    if any(hasattr(part, method) for part in _list_inside(dataset)):
        raise ValueError(
            f'{kind.__name__} does not say which of its images are '
            f'retrieved; put it inside the TACKLEDataset: '
            f"dict(type='ltvl_mm.TACKLEDataset', "
            f"dataset=dict(type='{kind.__name__}', ...))"
        )
    return np.full(len(dataset), of_target)


def _list_inside(dataset: object) -> list:
    """Return the data sets inside a wrapper, and the wrappers inside it."""
    found = []
    while hasattr(dataset, 'dataset'):
        dataset = dataset.dataset
        found.append(dataset)
    return [*found, *list_innermost(dataset)]

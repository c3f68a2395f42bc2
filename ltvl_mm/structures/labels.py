"""Class labels of any mmengine or mmpretrain data set, wrapped or not."""

import pickle
from typing import Any

import numpy as np
from mmengine.dataset import (
    BaseDataset,
    ClassBalancedDataset,
    ConcatDataset,
    RepeatDataset,
)

from ltvl_mm.structures.classification_dataset import ClassificationDataset
from ltvl_mm.utils.rng import make_generator


def read_labels(
    dataset: ClassificationDataset, num_classes: int | None = None
) -> np.ndarray:
    """Return the (N,) int64 class labels of ``dataset``.

    Labels come from ``get_gt_labels`` where a data set has it, from the
    serialized annotations of mmengine's BaseDataset, or from the data set
    inside mmengine's wrappers; else ``get_data_info`` is called N times.

    Args:
        dataset: Data set or wrapper with ``get_data_info`` and a length.
        num_classes: K; None for the length of its ``classes``, if any.

    Raises:
        ValueError: If a sample has no single label, or one outside [0, K);
            names the sample's index, image and label.
    """
    if num_classes is None:
        names = getattr(dataset, 'metainfo', {}).get('classes')
        num_classes = None if names is None else len(names)
    labels = _read_fast(dataset)
    if labels is None:
        labels = _read_slowly(dataset)
    wrong = labels < 0
    if num_classes is not None:
        wrong |= labels >= num_classes
    if wrong.any():
        index = int(np.flatnonzero(wrong)[0])
        raise ValueError(
            f'sample {index} ({_name_image(dataset, index)}): label '
            f'{labels[index]} lies outside [0, {num_classes})'
        )
    return labels


def limit_classes(labels: np.ndarray, limit: int, seed: int) -> np.ndarray:
    """Return sorted indices of at most ``limit`` images of each class.

    Args:
        labels: (N,) classes.
        limit: Images per class, >= 1.
        seed: Random seed of the images that are drawn without replacement.
    """
    kept = []
    for label in np.unique(labels):
        rows = np.flatnonzero(labels == label)
        if len(rows) > limit:
            rng = make_generator(seed, int(label))
            rows = rng.choice(rows, limit, replace=False)
        kept.append(rows)
    return np.sort(np.concatenate(kept))


def _read_fast(dataset: Any) -> np.ndarray | None:  # noqa: ANN401
    """Return the (N,) labels without ``get_data_info``, None if impossible."""
    kind = type(dataset)
    if kind in (RepeatDataset, ClassBalancedDataset, ConcatDataset):
        dataset.full_init()
    if kind is ConcatDataset:
        parts = [_read_fast(part) for part in dataset.datasets]
        if any(part is None for part in parts):
            return None
        return np.concatenate(parts)
    if kind in (RepeatDataset, ClassBalancedDataset):
        inner = _read_fast(dataset.dataset)
        if inner is None:
            return None
        if kind is RepeatDataset:
            return np.tile(inner, dataset.times)
        return inner[np.asarray(dataset.repeat_indices, np.int64)]
    if _is_stock(dataset):
        return _unpickle_labels(dataset)
    if not hasattr(dataset, 'get_gt_labels'):
        return None
    found = np.asarray(dataset.get_gt_labels())
    if found.shape != (len(dataset),) or found.dtype.kind not in 'iu':
        return None
    return found.astype(np.int64)


def _is_stock(dataset: object) -> bool:
    """Return whether serialized annotations are what get_data_info gives."""
    return (
        isinstance(dataset, BaseDataset)
        and type(dataset).get_data_info is BaseDataset.get_data_info
        and dataset.serialize_data
    )


def _unpickle_labels(dataset: BaseDataset) -> np.ndarray | None:
    """Return the (N,) labels of serialized annotations.

    Each record is an independent pickle that mmengine wrote in this process.
    Slicing a memoryview and skipping ``get_data_info`` is 4 times faster.
    """
    dataset.full_init()
    records = memoryview(dataset.data_bytes)
    labels = np.empty(len(dataset), np.int64)
    start = 0
    for index, stop in enumerate(dataset.data_address.tolist()):
        label = pickle.loads(records[start:stop]).get('gt_label')
        if type(label) is not int:
            return None
        labels[index] = label
        start = stop
    return labels


def _read_slowly(dataset: ClassificationDataset) -> np.ndarray:
    """Return the (N,) labels, one ``get_data_info`` after another."""
    labels = np.empty(len(dataset), np.int64)
    for index in range(len(dataset)):
        label = dataset.get_data_info(index).get('gt_label')
        if not isinstance(label, int):
            if label is None or np.size(label) != 1:
                raise ValueError(
                    f'sample {index} ({_name_image(dataset, index)}) has no '
                    f'single class label: gt_label={label!r}'
                )
            label = int(np.ravel(label)[0])
        labels[index] = label
    return labels


def _name_image(dataset: ClassificationDataset, index: int) -> str:
    return str(dataset.get_data_info(index).get('img_path', 'no path'))

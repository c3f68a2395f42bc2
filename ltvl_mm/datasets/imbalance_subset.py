"""Subset of a training set with a chosen imbalance."""

import math
from typing import Any

import numpy as np
from mmengine.dataset import BaseDataset, force_full_init
from mmengine.logging import print_log

from ltvl_mm.datasets.subset import SubsetMixin
from ltvl_mm.registry import DATASETS
from ltvl_mm.structures.classification_dataset import ClassificationDataset
from ltvl_mm.structures.labels import limit_classes, read_labels
from ltvl_mm.structures.origins import read_origins, read_probabilities


def draw_subset(
    labels: np.ndarray, imbalance: float | None, seed: int
) -> np.ndarray:
    """Return sorted indices of a subset of N images with an imbalance.

    Every class keeps at most n_min * imbalance images, n_min being the images
    of the rarest class that has any, drawn without replacement. Source: stage
    1 of LT-Soups, Aminbeidokhti et al. 2025 (arXiv 2511.10683).

    Args:
        labels: (N,) classes.
        imbalance: Largest ratio of two classes, >= 1; None keeps all.
        seed: Random seed.

    Raises:
        ValueError: If there are no images to draw from, or ``imbalance`` is
            below 1 or not finite.
    """
    _check_imbalance(imbalance)
    if not len(labels):
        raise ValueError(
            'there are no images to draw a subset from; check the annotations '
            'of the data set'
        )
    if imbalance is None:
        return np.arange(len(labels))
    counts = np.unique(labels, return_counts=True)[1]
    return limit_classes(labels, int(counts.min() * imbalance), seed)


@DATASETS.register_module()
class ImbalanceSubset(SubsetMixin, BaseDataset):
    """Images of a data set of which every class keeps a limited number.

    See :func:`draw_subset`; its size is logged. Losses with class counts get
    those of the subset. To train on retrieved images, too, wrap a
    ``TACKLEDataset``: the limit then holds for target and retrieved images
    together.

    Args:
        dataset: Config or instance of a classification data set; may be a
            wrapper.
        imbalance: Largest ratio of the images of two classes, >= 1: 1 is a
            balanced subset; None keeps all images.
        seed: Random seed of the images that are kept.
        lazy_init: Leave reading annotations to ``full_init``.

    Raises:
        ValueError: If ``imbalance`` is below 1 or not finite, the seed is
            negative, or the data set is empty.
    """

    _rows: np.ndarray

    def __init__(
        self,
        dataset: ClassificationDataset | dict,
        *,
        imbalance: float | None,
        seed: int = 0,
        lazy_init: bool = False,
    ) -> None:
        _check_imbalance(imbalance)
        if seed < 0:
            raise ValueError(f'seed must be >= 0, got {seed}')
        target: Any = dataset
        if isinstance(dataset, dict):
            target = DATASETS.build(
                {**dataset, 'lazy_init': True} if lazy_init else dataset
            )
        self.dataset: Any = target
        self._metainfo = self.dataset.metainfo
        self.imbalance = imbalance
        self.seed = seed
        self._fully_initialized = False
        if not lazy_init:
            self.full_init()

    @property
    def CLASSES(self) -> Any:  # noqa: ANN401
        """Class names of the data set."""
        return self._metainfo['classes']

    def full_init(self) -> None:
        """Read the annotations and draw the images."""
        if self._fully_initialized:
            return
        self.dataset.full_init()
        labels = read_labels(self.dataset)
        self._rows = draw_subset(labels, self.imbalance, self.seed)
        counts = np.unique(labels[self._rows], return_counts=True)[1]
        print_log(
            f'subset of imbalance {self.imbalance}, seed {self.seed}: '
            f'{len(self._rows)} of {len(labels)} images, {counts.min()} to '
            f'{counts.max()} of each of {len(counts)} classes',
            'current',
        )
        self._fully_initialized = True

    @force_full_init
    def __len__(self) -> int:
        return len(self._rows)

    @force_full_init
    def __getitem__(self, idx: int) -> dict:
        return self.dataset[int(self._rows[idx])]

    @force_full_init
    def get_data_info(self, idx: int) -> dict:
        """Return the annotation of sample ``idx``."""
        return self.dataset.get_data_info(int(self._rows[idx]))

    @force_full_init
    def get_cat_ids(self, idx: int) -> list[int]:
        """Return the class of sample ``idx`` in a list."""
        return self.dataset.get_cat_ids(int(self._rows[idx]))

    @force_full_init
    def get_gt_labels(self) -> np.ndarray:
        """Return the (N,) labels of the samples."""
        return read_labels(self.dataset)[self._rows]

    @force_full_init
    def get_origins(self) -> np.ndarray:
        """Return (N,) booleans, True for retrieved images."""
        return read_origins(self.dataset)[self._rows]

    @force_full_init
    def get_probabilities(self) -> np.ndarray:
        """Return (N,) probabilities p_k; 1 for target images."""
        return read_probabilities(self.dataset)[self._rows]

    def __repr__(self) -> str:
        size = len(self._rows) if self._fully_initialized else 'unread'
        lines = [
            f'Dataset {type(self).__name__}',
            f'    {size} samples, imbalance {self.imbalance}, seed '
            f'{self.seed}',
        ]
        lines += [f'    {line}' for line in repr(self.dataset).splitlines()]
        return '\n'.join(lines)


def _check_imbalance(imbalance: float | None) -> None:
    if imbalance is not None and not 1 <= imbalance < math.inf:
        raise ValueError(
            f'imbalance must be a finite number >= 1, or None to keep all '
            f'images, got {imbalance}'
        )

"""Samplers whose epochs have a chosen length and a reproducible order.

The order is a function of [seed, epoch] alone, so that a run that resumes at
an epoch resumes as if it had never stopped.
"""

import math
from collections.abc import Iterator, Sized

import numpy as np
from mmengine.dist import get_dist_info, sync_random_seed
from mmengine.logging import print_log
from torch.utils.data import Sampler

from ltvl_mm.registry import DATA_SAMPLERS
from ltvl_mm.structures.classification_dataset import ClassificationDataset
from ltvl_mm.structures.labels import read_labels
from ltvl_mm.structures.origins import read_origins
from ltvl_mm.utils.rng import make_generator


class EpochSampler(Sampler):
    """Deal one order of sample indices to the ranks: rank, rank + W, ...

    Has the arguments and attributes of mmengine's ``DefaultSampler``.

    Args:
        dataset: Data set to sample from.
        epoch_size: Samples of an epoch over all ranks; None for the size of
            the data set.
        min_epoch_size: Minimum samples of an epoch where ``epoch_size`` is
            None.
        of_target: Count target images alone for the size of the data set:
            trainings without and with retrieved images then have the same
            iterations.
        seed: Random seed, the same on all ranks; None draws one.
        shuffle: Must be True; a config that replaces the ``type`` of a stock
            sampler inherits it.
        round_up: Round the epoch up to a multiple of the number of ranks W,
            so that all ranks draw equally many samples. False: ranks differ
            by up to one sample.

    Attributes:
        num_samples: Samples of an epoch on this rank.
        total_size: Samples of an epoch over all ranks.
    """

    def __init__(
        self,
        dataset: Sized,
        *,
        epoch_size: int | None = None,
        min_epoch_size: int = 1,
        of_target: bool = False,
        seed: int | None = None,
        shuffle: bool = True,
        round_up: bool = True,
    ) -> None:
        if not shuffle:
            raise ValueError(
                f'{type(self).__name__} always shuffles; for a fixed order '
                f'use DefaultSampler(shuffle=False)'
            )
        if epoch_size is not None and epoch_size < 1:
            raise ValueError(f'epoch_size must be >= 1, got {epoch_size}')
        if min_epoch_size < 1:
            raise ValueError(
                f'min_epoch_size must be >= 1, got {min_epoch_size}'
            )
        if len(dataset) == 0:
            raise ValueError('the data set to sample from is empty')
        self.dataset = dataset
        self.rank, self.world_size = get_dist_info()
        self.seed = sync_random_seed() if seed is None else seed
        self.epoch = 0
        self.shuffle = shuffle
        self.round_up = round_up
        images = len(dataset)
        if of_target:
            images = int((~read_origins(dataset)).sum())
        size = epoch_size or max(images, min_epoch_size)
        if round_up:
            self.num_samples = math.ceil(size / self.world_size)
            self.total_size = self.num_samples * self.world_size
        else:
            self.num_samples = math.ceil((size - self.rank) / self.world_size)
            self.total_size = size

    def set_epoch(self, epoch: int) -> None:
        """Set the epoch, as mmengine's loops do before each one."""
        self.epoch = epoch

    def __len__(self) -> int:
        return self.num_samples

    def __iter__(self) -> Iterator[int]:
        order = self._draw_epoch(self.total_size)
        yield from order[self.rank :: self.world_size].tolist()

    def _draw_epoch(self, count: int) -> np.ndarray:
        """Return the (count,) indices of ``self.epoch`` over all ranks."""
        raise NotImplementedError


@DATA_SAMPLERS.register_module()
class FixedEpochSampler(EpochSampler):
    """Shuffle the data set, and cut the endless order into equal epochs.

    Every sample comes once before any comes twice, as usual; but an epoch
    is ``epoch_size`` samples whatever the data set's size. A student with
    retrieved images and one without then train for the same iterations with
    the same schedule, validations and checkpoints.
    """

    def _draw_epoch(self, count: int) -> np.ndarray:
        size = len(self.dataset)
        first, last = self.epoch * count, (self.epoch + 1) * count
        shuffles = range(first // size, (last - 1) // size + 1)
        order = np.concatenate(
            [
                make_generator(self.seed, number).permutation(size)
                for number in shuffles
            ]
        )
        start = first - shuffles[0] * size
        return order[start : start + count]


class ClassSampler(EpochSampler):
    """Draw classes, and images of each; subclasses choose the classes.

    Args:
        dataset: Data set to sample from.
        epoch_size: Samples of an epoch over all ranks; None (default) for the
            size of the data set.
        seed: Random seed, the same on all ranks; None (default) draws one.
        shuffle: Must be True; see :class:`.EpochSampler`.
        round_up: True (default) for equal numbers on all ranks; see
            :class:`.EpochSampler`.
    """

    def __init__(
        self,
        dataset: ClassificationDataset,
        *,
        epoch_size: int | None = None,
        seed: int | None = None,
        shuffle: bool = True,
        round_up: bool = True,
    ) -> None:
        super().__init__(
            dataset,
            epoch_size=epoch_size,
            seed=seed,
            shuffle=shuffle,
            round_up=round_up,
        )
        labels = read_labels(dataset)
        self._by_class = np.argsort(labels, kind='stable')
        present, self._counts = np.unique(labels, return_counts=True)
        self._starts = np.cumsum(self._counts) - self._counts
        names = getattr(dataset, 'metainfo', {}).get('classes', present)
        if len(names) > len(present):
            print_log(
                f'{type(self).__name__}: {len(names) - len(present)} of '
                f'{len(names)} classes have no image and are never drawn',
                'current',
                level=30,
            )

    def _draw_images(
        self, rng: np.random.Generator, classes: np.ndarray
    ) -> np.ndarray:
        """Return the index of an image of each of the classes."""
        within = rng.integers(self._counts[classes])
        return self._by_class[self._starts[classes] + within]


@DATA_SAMPLERS.register_module()
class ClassBalancedSampler(ClassSampler):
    """Draw classes equally often, and images of each.

    Source: q_j = 1/K of section 2.2 of the TACKLE paper, after Kang et al.
    2020; with 4 samples per class, the ``ClassAwareSampler`` of BALLAD's
    code. The order is dealt to the ranks in turn, so that every rank has the
    same class balance.

    Args:
        dataset: Data set to sample from.
        epoch_size: Samples of an epoch over all ranks, rounded up to a
            multiple of their number; None for the size of the data set.
        samples_per_class: Images m that a drawn class yields in a row. With
            1, class and image are drawn independently and uniformly, with
            replacement. With more, the classes come in shuffled cycles, each
            once before any comes twice, and so do the images of a class;
            each epoch starts new cycles.
        seed: Random seed, the same on all ranks; None draws one.
        shuffle: Must be True; see :class:`EpochSampler`.
        round_up: True for equal numbers on all ranks; see
            :class:`EpochSampler`.

    Raises:
        ValueError: If a label lies outside the data set's classes.
    """

    def __init__(
        self,
        dataset: ClassificationDataset,
        *,
        epoch_size: int | None = None,
        samples_per_class: int = 1,
        seed: int | None = None,
        shuffle: bool = True,
        round_up: bool = True,
    ) -> None:
        if samples_per_class < 1:
            raise ValueError(
                f'samples_per_class must be >= 1, got {samples_per_class}'
            )
        super().__init__(
            dataset,
            epoch_size=epoch_size,
            seed=seed,
            shuffle=shuffle,
            round_up=round_up,
        )
        self.samples_per_class = samples_per_class

    def _draw_epoch(self, count: int) -> np.ndarray:
        rng = make_generator(self.seed, self.epoch)
        if self.samples_per_class > 1:
            return self._draw_cycles(rng, count)
        classes = rng.integers(len(self._counts), size=count)
        return self._draw_images(rng, classes)

    def _draw_cycles(self, rng: np.random.Generator, count: int) -> np.ndarray:
        """Return (count,) indices, m of one class after m of another."""
        m = self.samples_per_class
        classes = _shuffle_cycles(rng, len(self._counts), math.ceil(count / m))
        turns = np.bincount(classes, minlength=len(self._counts))
        rows_by_class = np.split(
            np.argsort(classes, kind='stable'), np.cumsum(turns)[:-1]
        )
        order = np.empty((len(classes), m), np.int64)
        for start, size, rows in zip(
            self._starts, self._counts, rows_by_class, strict=True
        ):
            within = _shuffle_cycles(rng, size, len(rows) * m)
            order[rows] = self._by_class[start + within].reshape(-1, m)
        return order.ravel()[:count]


def _shuffle_cycles(
    rng: np.random.Generator, size: int, count: int
) -> np.ndarray:
    """Return the first ``count`` of permutation after permutation of size."""
    cycles = np.tile(np.arange(size), (math.ceil(count / size), 1))
    return rng.permuted(cycles, axis=1).ravel()[:count]

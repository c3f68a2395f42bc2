"""Sampler that fixes the share of retrieved images in a batch."""

from collections.abc import Sized

import numpy as np

from ltvl_mm.datasets.samplers import EpochSampler
from ltvl_mm.registry import DATA_SAMPLERS
from ltvl_mm.structures.origins import read_origins
from ltvl_mm.utils.rng import make_generator


@DATA_SAMPLERS.register_module()
class RetrievedShareSampler(EpochSampler):
    """Draw a fixed share of retrieved images, evenly over the batches.

    Any n samples that a rank draws in a row hold share * n retrieved images,
    rounded up or down. Target images come in a shuffled order, each once
    before any comes twice, across epochs; retrieved images likewise.

    Args:
        dataset: Data set to sample from, with retrieved images.
        share: Share of retrieved images, in (0, 1); None for their share of
            the data set.
        target_from: First epoch, from 0, in which only target images are
            drawn; None for no such epoch.
        epoch_size: Samples of an epoch over all ranks; None (default) for the
            size of the data set.
        min_epoch_size: Minimum samples of an epoch where ``epoch_size`` is
            None; default 1.
        of_target: Count target images alone for the size of the data set;
            default False.
        seed: Random seed, the same on all ranks; None (default) draws one.
        shuffle: Must be True; see :class:`.EpochSampler`.
        round_up: True (default) for equal numbers on all ranks; see
            :class:`.EpochSampler`.

    Raises:
        ValueError: If ``share`` lies outside (0, 1), ``target_from`` is
            negative, one of the two parts is empty, or an epoch is too short
            to draw from both.
    """

    def __init__(
        self,
        dataset: Sized,
        *,
        share: float | None = None,
        target_from: int | None = None,
        epoch_size: int | None = None,
        min_epoch_size: int = 1,
        of_target: bool = False,
        seed: int | None = None,
        shuffle: bool = True,
        round_up: bool = True,
    ) -> None:
        if share is not None and not 0 < share < 1:
            raise ValueError(f'share must lie in (0, 1), got {share}')
        if target_from is not None and target_from < 0:
            raise ValueError(f'target_from must be >= 0, got {target_from}')
        super().__init__(
            dataset,
            epoch_size=epoch_size,
            min_epoch_size=min_epoch_size,
            of_target=of_target,
            seed=seed,
            shuffle=shuffle,
            round_up=round_up,
        )
        origins = read_origins(dataset)
        if origins.all() or not origins.any():
            raise ValueError(
                f'RetrievedShareSampler needs target and retrieved images, '
                f'got {int((~origins).sum())} and {int(origins.sum())}; give '
                f'tools/train.py --retrieved MANIFEST'
            )
        self.share = float(origins.mean()) if share is None else share
        self.target_from = target_from
        self._parts = (np.flatnonzero(~origins), np.flatnonzero(origins))
        self._check_epoch()

    def _check_epoch(self) -> None:
        """Raise ValueError if an epoch would draw from one part only."""
        marks = self._mark_retrieved(self.total_size)
        if self.target_from == 0 or (marks.any() and not marks.all()):
            return
        missing = 'target' if marks.any() else 'retrieved'
        raise ValueError(
            f'an epoch of {self.num_samples} samples in each of '
            f'{self.world_size} processes has no {missing} image at a share '
            f'of {self.share:.4g} retrieved images; give another share '
            f'(--recipe share:S), or a larger epoch_size'
        )

    def _draw_epoch(self, count: int) -> np.ndarray:
        """Return the (count,) indices of ``self.epoch`` over all ranks."""
        marks = self._mark_retrieved(count)
        mixed = self.epoch
        if self.target_from is not None and self.epoch >= self.target_from:
            mixed, marks = self.target_from, np.zeros(count, bool)
        # Samples of each part that earlier epochs have drawn.
        retrieved = int(self._mark_retrieved(count).sum())
        drawn = (self.epoch * count - mixed * retrieved, mixed * retrieved)
        order = np.empty(count, np.int64)
        for part, rows in enumerate(self._parts):
            places = np.flatnonzero(marks == bool(part))
            order[places] = rows[
                _cut_shuffles(
                    (self.seed, part), len(rows), drawn[part], len(places)
                )
            ]
        return order

    def _mark_retrieved(self, count: int) -> np.ndarray:
        """Return (count,) booleans; ranks take turns, each with its share."""
        turn = np.arange(count) // self.world_size
        # 100 * 0.29 is 28.999...; rounded, it is 29.
        before, after = (
            np.floor(np.round(turns * self.share, 9))
            for turns in (turn, turn + 1)
        )
        return after > before


def _cut_shuffles(
    seed: tuple[int, ...], size: int, start: int, count: int
) -> np.ndarray:
    """Return (count,) indices of an endless series of shuffles of a part."""
    if not count:
        return np.empty(0, np.int64)
    shuffles = range(start // size, (start + count - 1) // size + 1)
    order = np.concatenate(
        [
            make_generator(*seed, number).permutation(size)
            for number in shuffles
        ]
    )
    first = start - shuffles[0] * size
    return order[first : first + count]

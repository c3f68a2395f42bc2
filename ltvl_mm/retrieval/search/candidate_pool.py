"""The best candidates of every class while a store is read."""

from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any

import numpy as np

from ltvl_mm.utils.io import read_arrays, write_arrays


@dataclass
class CandidatePool:
    """For each class the candidates that can be among its best.

    Scores are known to within ``tolerance``. A candidate is given up only
    when ``budget[k]`` others score more than two tolerances above it: they
    are better whatever the errors. So pools of disjoint rows merge in any
    order and grouping to the same final choice.

    Args:
        budget: (K,) wanted images, >= 0.
        tolerance: Largest error of a score.
        rows: (M,) int64 rows of the store.
        labels: (M,) int32 classes.
        scores: (M,) float32.
        counts: (M,) bool: whether it is sure to be a candidate at all; only
            such ones make others give way.
        seen: Rows that were looked at, refused ones included.
        skipped: (S,) int64 rows whose embedding is not finite or not of unit
            norm.
    """

    budget: np.ndarray
    tolerance: float
    rows: np.ndarray
    labels: np.ndarray
    scores: np.ndarray
    counts: np.ndarray
    seen: int = 0
    skipped: np.ndarray = field(default_factory=lambda: np.empty(0, np.int64))

    def __post_init__(self) -> None:
        """Start with the thresholds of what is there."""
        self._pending: list[tuple[np.ndarray, ...]] = []
        self._waiting = 0
        self.floor = np.full(len(self.budget), -np.inf)
        self.floor[self.budget == 0] = np.inf
        self.thresholds = self.floor
        self.compact()

    def add(
        self,
        rows: np.ndarray,
        labels: np.ndarray,
        scores: np.ndarray,
        counts: np.ndarray,
    ) -> None:
        """Take candidates in, for the next ``compact``."""
        self._pending.append((rows, labels, scores, counts))
        self._waiting += len(rows)

    def merge(self, other: 'CandidatePool') -> None:
        """Take in the candidates of another pool, of other rows."""
        self.raise_floor(other.floor)
        self.seen += other.seen
        self.skip(other.skipped)
        self.add(other.rows, other.labels, other.scores, other.counts)

    def skip(self, rows: np.ndarray) -> None:
        """Remember rows that cannot be candidates."""
        self.skipped = np.union1d(self.skipped, rows)

    @property
    def is_due(self) -> bool:
        """True if enough candidates wait to be sorted."""
        return self._waiting > max(5_000, len(self.rows) // 16)

    def raise_floor(self, floor: np.ndarray) -> None:
        """Set thresholds that hold from the beginning, (K,)."""
        self.floor = np.maximum(self.floor, floor)
        self.thresholds = np.maximum(self.thresholds, self.floor)

    def compact(self) -> None:
        """Give up what cannot be among the best, and raise the thresholds."""
        parts = [
            (self.rows, self.labels, self.scores, self.counts),
            *self._pending,
        ]
        self.rows, self.labels, self.scores, self.counts = (
            np.concatenate(column) for column in zip(*parts, strict=True)
        )
        self._pending, self._waiting = [], 0
        self._keep(np.argsort(_make_keys(self.labels, self.scores)))
        self.thresholds = np.maximum(self.find_scores(self.budget), self.floor)
        least = self.thresholds[self.labels] - 2 * self.tolerance
        self._keep(self.scores >= least)

    def find_scores(self, ranks: np.ndarray) -> np.ndarray:
        """Return the (K,) scores of the ``ranks[k]``-th best, else -inf.

        Of those that are sure to be candidates; 0 stands for no rank.
        """
        found = np.full(len(ranks), -np.inf)
        sure = np.flatnonzero(self.counts)
        starts = np.searchsorted(self.labels[sure], np.arange(len(ranks) + 1))
        full = np.flatnonzero((np.diff(starts) >= ranks) & (ranks > 0))
        found[full] = self.scores[sure[starts[full] + ranks[full] - 1]]
        return found

    def find_over_capacity(self) -> np.ndarray:
        """Return the classes where ties keep far more than was asked for."""
        kept = np.bincount(self.labels, minlength=len(self.budget))
        return np.flatnonzero(kept > 2 * self.budget + 64)

    def drop(self, places: np.ndarray) -> None:
        """Give up the candidates at some places."""
        keep = np.ones(len(self.rows), bool)
        keep[places] = False
        self._keep(keep)

    def _keep(self, chosen: np.ndarray) -> None:
        self.rows, self.labels, self.scores, self.counts = (
            column[chosen]
            for column in (self.rows, self.labels, self.scores, self.counts)
        )


def make_pool(budget: np.ndarray, tolerance: float) -> CandidatePool:
    """Return an empty pool."""
    return CandidatePool(
        np.asarray(budget, np.int64),
        tolerance,
        np.empty(0, np.int64),
        np.empty(0, np.int32),
        np.empty(0, np.float32),
        np.empty(0, bool),
    )


def save_pool(path: str | Path, pool: CandidatePool) -> None:
    """Write a pool, atomically."""
    pool.compact()
    columns = {each.name: getattr(pool, each.name) for each in fields(pool)}
    write_arrays(path, floor=pool.floor, **columns)


def load_pool(path: str | Path) -> CandidatePool:
    """Read what :func:`save_pool` wrote.

    Raises:
        ValueError: If the file is none of these.
    """
    try:
        names = ('floor', *(each.name for each in fields(CandidatePool)))
        columns: dict[str, Any] = dict(
            read_arrays(path, names, made_by='tools/retrieve.py')
        )
        floor = columns.pop('floor')
        columns['tolerance'] = float(columns['tolerance'])
        columns['seen'] = int(columns['seen'])
        pool = CandidatePool(**columns)
    except (ValueError, TypeError) as error:
        raise ValueError(
            f'{path} is not a pool of candidates: {error}; delete it'
        ) from None
    pool.raise_floor(floor)
    return pool


def _make_keys(labels: np.ndarray, scores: np.ndarray) -> np.ndarray:
    """Return (M,) uint64 that sort by class, and by falling score."""
    bits = scores.view(np.uint32)
    negative = bits >> 31 == 1
    # Floats of one sign sort as their bits do, negative ones backwards.
    falling = np.where(negative, bits, bits ^ np.uint32(0x7FFFFFFF))
    return (labels.astype(np.uint64) << np.uint64(32)) | falling

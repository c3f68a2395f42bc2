"""Scan store rows into a pool of candidates."""

import numpy as np
import torch

from ltvl_mm.retrieval.search.bfloat16_prefilter import BFloat16Prefilter
from ltvl_mm.retrieval.search.candidate_pool import CandidatePool
from ltvl_mm.retrieval.search.float32_prefilter import Float32Prefilter
from ltvl_mm.retrieval.search.scores import RowScores
from ltvl_mm.retrieval.search.search_spec import SearchSpec
from ltvl_mm.structures.unit_norms import find_uneven_norms

# Images that passed the fast prefilter and are tested in float32 together.
_WAITING = 512


class Scan:
    """One scan of store rows into a pool.

    Args:
        spec: Search that the pool belongs to.
        pool: Pool that collects the candidates.
        exact: Prefilter, which sets its thresholds by the pool.
        fast: Prefilter before it, which may pass more images than needed;
            None (default) for none.
        extrapolate: Expect the share of good images among the rows seen so
            far of the whole store, and raise the floor by it. Needs rows in
            random order.
    """

    def __init__(
        self,
        spec: SearchSpec,
        pool: CandidatePool,
        exact: Float32Prefilter,
        *,
        fast: BFloat16Prefilter | None = None,
        extrapolate: bool = False,
    ) -> None:
        self.spec = spec
        self.pool = pool
        self.exact = exact
        self.fast = fast
        self.waiting: list[tuple[np.ndarray, torch.Tensor]] = []
        self.extrapolate = extrapolate
        self._set_thresholds()

    def scan_chunk(self, first: int, chunk: np.ndarray) -> None:
        """Add the candidates among consecutive rows of the store.

        Args:
            first: First row.
            chunk: (B, D) embeddings of the rows.

        Raises:
            ValueError: If too many rows are not finite or not of unit norm.
        """
        images = torch.from_numpy(chunk).to(
            self.exact.device, torch.float32, copy=True
        )
        rows = np.arange(first, first + len(chunk))
        inside = np.ones(len(rows), bool)
        uneven = find_uneven(images)
        if len(uneven):
            self.pool.skip(rows[uneven])
            self.spec.check_skipped(self.pool.skipped)
            inside[uneven] = False
        if self.spec.keep_rows is not None:
            inside &= self.spec.keep_rows(first, first + len(chunk))
        if not inside.all():
            kept = np.flatnonzero(inside)
            self.pool.seen += len(rows) - len(kept)
            kept_on_device = torch.from_numpy(kept).to(images.device)
            rows, images = rows[kept], images[kept_on_device]
        self.add_rows(rows, images)

    def add_rows(self, rows: np.ndarray, images: torch.Tensor) -> None:
        """Add the candidates among (B,) rows with (B, D) embeddings."""
        # Everything passes until there are thresholds, so begin with little.
        while len(rows) and np.isneginf(self.pool.thresholds).any():
            few = max(64, self.pool.seen)
            self.pool.seen += len(rows[:few])
            self._add(rows[:few], images[:few])
            self._compact()
            rows, images = rows[few:], images[few:]
        self.pool.seen += len(rows)
        if self.fast is None:
            self._add(rows, images)
            return
        passed = self.fast.find(images)
        self.waiting.append((rows[passed], images[torch.from_numpy(passed)]))
        if sum(len(rows) for rows, _ in self.waiting) >= _WAITING:
            self._add_waiting()

    def end(self) -> None:
        """Sort the last candidates into the pool."""
        self._add_waiting()
        self._compact()

    def _add_waiting(self) -> None:
        if self.waiting:
            rows, images = zip(*self.waiting, strict=True)
            self.waiting = []
            self._add(np.concatenate(rows), torch.cat(images))

    def _add(self, rows: np.ndarray, images: torch.Tensor) -> None:
        passed, logits = self.exact.find_logits(images)
        rows = rows[passed]
        summary = RowScores(logits, self.spec.ranking.score)
        places, labels = summary.find_pairs(self.exact.bounds)
        sure = np.ones(len(places), bool)
        if self.spec.ranking.assign == 'argmax' and logits.shape[1] > 1:
            near = summary.best[places] - logits[places, labels]
            doubt = 2 * self.pool.tolerance
            inside = near <= doubt
            places, labels = places[inside], labels[inside]
            sure = (summary.best_class[places] == labels) & (
                summary.best[places] - summary.second[places] > doubt
            )
        self.pool.add(
            rows[places],
            labels.astype(np.int32),
            summary.score(places, labels).astype(np.float32),
            sure,
        )
        if self.pool.is_due:
            self._compact()

    def _compact(self) -> None:
        self.pool.compact()
        self.spec.ranking.thin_out(self.pool)
        self._raise_floor()
        self._set_thresholds()

    def _raise_floor(self) -> None:
        """Expect of the rest of the store what was seen of it so far."""
        share = self.pool.seen / len(self.spec.store)
        if self.extrapolate and share < 1:
            ranks = find_ranks(self.pool.budget, share)
            self.pool.raise_floor(self.pool.find_scores(ranks))

    def _set_thresholds(self) -> None:
        self.exact.set_thresholds(self.pool.thresholds)
        if self.fast is not None:
            self.fast.set_thresholds(self.pool.thresholds)


def find_uneven(images: torch.Tensor) -> np.ndarray:
    """Return the indices of (B, D) images that are not of unit norm."""
    norms = torch.linalg.vector_norm(images, dim=1)
    return find_uneven_norms(norms.cpu().numpy())


def find_ranks(budget: np.ndarray, share: float) -> np.ndarray:
    """Return which of the best in a share of a store is a safe floor.

    Of the n_k best of all, n_k f +- sqrt(n_k f (1 - f)) lie in a random
    share f; the r-th best in it is worse than the n_k-th of all if r
    exceeds their number. Over all classes and times of asking, 5.5 deviations
    fail once in a thousand runs; :meth:`Selection.finish` notices it.
    """
    expected = budget * share
    deviation = np.sqrt(expected * (1 - share))
    ranks = np.ceil(expected + 5.5 * deviation + 4).astype(np.int64)
    return np.where(budget > 0, np.minimum(ranks, budget), 0)

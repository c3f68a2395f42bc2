"""For each class the best images of a store: one pass, exact."""

from collections.abc import Callable

import numpy as np
import torch

from ltvl_mm.retrieval.search.bfloat16_prefilter import (
    BFloat16Prefilter,
    choose_prefilter,
)
from ltvl_mm.retrieval.search.candidate_pool import CandidatePool
from ltvl_mm.retrieval.search.exact_ranking import Candidates
from ltvl_mm.retrieval.search.float32_prefilter import Float32Prefilter
from ltvl_mm.retrieval.search.scan import Scan, find_uneven
from ltvl_mm.retrieval.search.search_spec import (
    SearchOptions,
    make_search_spec,
)
from ltvl_mm.retrieval.search.store_sample import (
    find_floor,
    read_sample,
    scan_sample,
)
from ltvl_mm.structures.class_queries import ClassQueries
from ltvl_mm.structures.embedding_store import EmbeddingStore
from ltvl_mm.utils.progress import progress_bar
from ltvl_mm.utils.rng import make_generator

# Below this a sample does not pay.
_LARGE = 200_000
# Rows that are read one after the other.
_RUN = 16_384


def select_images(
    store: EmbeddingStore,
    queries: ClassQueries,
    budget: np.ndarray,
    options: SearchOptions,
) -> list[Candidates]:
    """Return, for each class, the ``budget[k]`` images of highest score.

    Source: Eq. 4 of the TACKLE paper.

    Args:
        store: N images.
        queries: K classes, of the same encoder.
        budget: (K,) whole numbers >= 0.
        options: Options of the search.

    Raises:
        ValueError: See :class:`Selection`.
    """
    selection = Selection(store, queries, budget, options)
    pool = selection.make_pool()
    with progress_bar(total=len(store), title='select', unit='img') as bar:
        selection.scan(pool, progress=bar.update)
    return selection.finish(pool)


class Selection:
    """The search for the best images of all classes, in pieces.

    Each piece of the store is scanned into a pool of candidates, here or in
    another process; pools merge in any order; ``finish`` computes the scores
    of what is left without rounding. The result is the same bits for any
    pieces, chunks, product and device.

    Memory is a chunk and the pool, K x n_k candidates and a part more; never
    the N x K matrix.

    Args:
        store: N images.
        queries: K classes, of the same encoder.
        budget: (K,) whole numbers >= 0.
        options: Options of the search.

    Attributes:
        skipped: (S,) rows that were skipped, sorted; complete after
            ``finish``.

    Raises:
        ValueError: If store and queries differ in encoder or width, the
            budget has not K numbers, or an option is unknown.
    """

    # Set by the first scan.
    floor: np.ndarray
    mixed: bool
    prefilter: Float32Prefilter
    fast: BFloat16Prefilter | None

    def __init__(
        self,
        store: EmbeddingStore,
        queries: ClassQueries,
        budget: np.ndarray,
        options: SearchOptions,
    ) -> None:
        self.spec = make_search_spec(store, queries, budget, options)
        self.store = store
        self.num_classes = len(queries.embeddings)
        self.budget = self.spec.budget  # (K + M,)
        self.queries = self.spec.ranking.queries  # (K + M, D)
        self.skipped = np.empty(0, np.int64)
        self._prepare(options)

    def make_pool(self) -> CandidatePool:
        """Return a pool for what ``scan`` finds."""
        pool = self.spec.make_pool(self.budget)
        pool.raise_floor(self.floor)
        return pool

    def scan(
        self,
        pool: CandidatePool,
        start: int = 0,
        stop: int | None = None,
        *,
        progress: Callable[[int], object] = lambda rows: None,
    ) -> None:
        """Add the candidates among rows ``start`` to ``stop`` to ``pool``.

        Args:
            pool: From :meth:`make_pool`; of other rows than these.
            start: First row.
            stop: End row, exclusive; None for the last row.
            progress: Called with the number of rows of each chunk.

        Raises:
            ValueError: If too many rows are not finite or not of unit norm.
        """
        stop = len(self.store) if stop is None else stop
        scan = Scan(
            self.spec,
            pool,
            self.prefilter,
            fast=self.fast,
            extrapolate=self.mixed,
        )
        # In random order, so that what was seen says what will come.
        starts = np.arange(start, stop, _RUN)
        for first in make_generator(start, stop).permutation(starts):
            for row, chunk in self.store.iterate(
                self.spec.count_rows(),
                first,
                min(first + _RUN, stop),
                check=False,
            ):
                scan.scan_chunk(row, chunk)
                progress(len(chunk))
        scan.end()

    def merge(self, pool: CandidatePool, other: CandidatePool) -> None:
        """Take the candidates of ``other``, of other rows, into ``pool``."""
        pool.merge(other)
        pool.compact()
        self.spec.ranking.thin_out(pool)

    def finish(self, pool: CandidatePool) -> list[Candidates]:
        """Return the best of each class, from the pool of all rows."""
        pool.compact()
        self.skip(pool.skipped)
        found = self.spec.ranking.rank(pool.rows, pool.labels, self.budget)
        # What lay under the floor was given up: right if all of the budget
        # lies above it, whatever the floor came from.
        limit = pool.floor - pool.tolerance
        wrong = [
            label
            for label, best in enumerate(found)
            if np.isfinite(limit[label])
            and (
                len(best.rows) < self.budget[label]
                or best.scores[-1] < limit[label]
            )
        ]
        if wrong:
            again = self._scan_again(wrong)
            for label in wrong:
                found[label] = again[label]
        return found[: self.num_classes]

    def rank(self, rows: np.ndarray, labels: np.ndarray) -> list[Candidates]:
        """Return the best of each class among (M,) pairs only.

        Args:
            rows: Rows of the store.
            labels: For which class each is a candidate.

        Raises:
            ValueError: If too many rows are not finite or not of unit norm.
        """
        unique, places = np.unique(rows, return_inverse=True)
        inside = self.spec.find_kept(unique)
        kept = inside[places]
        rows, labels, unique = rows[kept], labels[kept], unique[inside]
        uneven = [np.empty(0, np.int64)]
        for start in range(0, len(unique), _RUN):
            some = unique[start : start + _RUN]
            images = torch.from_numpy(self.store.read_rows(some))
            uneven.append(some[find_uneven(images)])
        self.skip(np.concatenate(uneven))
        kept = ~np.isin(rows, self.skipped)
        rows, labels = rows[kept], labels[kept]
        found = self.spec.ranking.rank(rows, labels, self.budget)
        return found[: self.num_classes]

    def select_sample(self) -> list[Candidates]:
        """Return the best of a random sample, as many as its share is due."""
        rows, images, share = read_sample(self.spec)
        budget = np.ceil(self.budget * share).astype(np.int64)
        pool = self.spec.make_pool(budget)
        images = images.to(self.prefilter.device)
        scan_sample(self.spec, self.prefilter, pool, rows, images)
        found = self.spec.ranking.rank(pool.rows, pool.labels, budget)
        return found[: self.num_classes]

    def _scan_again(self, labels: list[int]) -> list[Candidates]:
        budget = np.zeros_like(self.budget)
        budget[labels] = self.budget[labels]
        pool = self.spec.make_pool(budget)
        mixed, self.mixed = self.mixed, False
        with progress_bar(
            total=len(self.store),
            title=f'select again for {len(labels)} classes',
            unit='img',
        ) as bar:
            self.scan(pool, progress=bar.update)
        self.mixed = mixed
        pool.compact()
        return self.spec.ranking.rank(pool.rows, pool.labels, self.budget)

    def _prepare(self, options: SearchOptions) -> None:
        """Set prefilters, and first thresholds from a sample of the store."""
        self.floor = np.full(len(self.budget), -np.inf)
        self.mixed = False
        self.prefilter = Float32Prefilter(self.spec.classes, options.device)
        self.fast = None
        if len(self.store) < _LARGE:
            return
        self.fast = choose_prefilter(self.prefilter, options.product)
        rows, sample, share = read_sample(self.spec)
        floor = find_floor(
            self.spec,
            self.prefilter,
            rows,
            sample.to(self.prefilter.device),
            share,
        )
        if floor is not None:
            self.floor, self.mixed = floor, True

    def skip(self, rows: np.ndarray) -> None:
        """Add rows to ``skipped``, unless they become too many."""
        self.skipped = np.union1d(self.skipped, rows)
        self.spec.check_skipped(self.skipped)

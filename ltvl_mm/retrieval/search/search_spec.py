"""Store, classes and rules of a search, which all of its steps read."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from ltvl_mm.retrieval.options import ASSIGNMENTS, MAX_BAD_ROWS, PRODUCTS
from ltvl_mm.retrieval.search.candidate_pool import CandidatePool, make_pool
from ltvl_mm.retrieval.search.exact_ranking import ExactRanking
from ltvl_mm.retrieval.search.float32_prefilter import (
    ClassLogits,
    make_class_logits,
)
from ltvl_mm.retrieval.search.scores import check_score
from ltvl_mm.structures.background import Background, join_queries
from ltvl_mm.structures.class_queries import ClassQueries
from ltvl_mm.structures.embedding_store import EmbeddingStore
from ltvl_mm.structures.store_rows import check_bad_rows

# Logits held at a time: 8 MB of float32, which stay in a processor's cache.
_CHUNK_NUMBERS = 2_000_000


@dataclass(frozen=True)
class SearchOptions:
    """Options of a search for the best images of each class.

    Args:
        temperature: Temperature of the softmax, > 0.
        score: Name of the score; see
            :func:`ltvl_mm.retrieval.search.scores.compute_scores`.
        assign: ``'independent'`` (default): an image may serve several
            classes (the paper does not forbid it); ``'argmax'``: only its
            best one.
        device: Device of the first pass; it does not change the result.
        product: ``'float32'``, ``'bfloat16'`` or ``'auto'`` (default), the
            faster one: the product by which most images of a large store are
            rejected. It does not change the result.
        keep_rows: Metadata filter: (first row, last row + 1) -> bool array of
            the images to keep; None (default) for all.
        max_bad_rows: Maximum share of the store's rows, in [0, 1], whose
            embedding is not finite or not of unit norm; default 0.001. Such
            rows are skipped.
        background: M further classes of the softmax, which get no images;
            None (default) for none.
    """

    temperature: float
    score: str = 'softmax'
    assign: str = 'independent'
    device: str = 'cpu'
    product: str = 'auto'
    keep_rows: Callable[[int, int], np.ndarray] | None = None
    max_bad_rows: float = MAX_BAD_ROWS
    background: Background | None = None


@dataclass(frozen=True)
class SearchSpec:
    """Constant part of a search for the best images of each class.

    Args:
        store: N images.
        budget: (K,) int64 images per class, >= 0.
        classes: Linear map from images to the K logits.
        ranking: Exact order of candidates; it holds score and assignment.
        keep_rows: Metadata filter: (first row, last row + 1) -> bool array of
            the images to keep; None for all.
        max_bad_rows: Maximum share of rows that are skipped, in [0, 1].
    """

    store: EmbeddingStore
    budget: np.ndarray
    classes: ClassLogits
    ranking: ExactRanking
    keep_rows: Callable[[int, int], np.ndarray] | None
    max_bad_rows: float

    def make_pool(self, budget: np.ndarray) -> CandidatePool:
        """Return an empty pool for (K,) numbers of images."""
        return make_pool(budget, self.classes.tolerance)

    def check_skipped(self, rows: np.ndarray) -> None:
        """Raise ValueError if more rows than allowed cannot be used."""
        check_bad_rows(self.store, rows, self.max_bad_rows)

    def find_kept(self, rows: np.ndarray) -> np.ndarray:
        """Return (M,) bool: the rows that the metadata filter keeps.

        Args:
            rows: (M,) rows, increasing.
        """
        if self.keep_rows is None:
            return np.ones(len(rows), bool)
        # The filter takes a range: ask once for each run of neighbors.
        parts = [np.empty(0, bool)]
        for run in np.split(rows, np.flatnonzero(np.diff(rows) > 1) + 1):
            if len(run):
                first, last = int(run[0]), int(run[-1])
                parts.append(self.keep_rows(first, last + 1)[run - first])
        return np.concatenate(parts)

    def count_rows(self) -> int:
        """Return the rows of a chunk, in [1, 4096]."""
        return int(np.clip(_CHUNK_NUMBERS // len(self.budget), 1, 4096))


def make_search_spec(
    store: EmbeddingStore,
    queries: ClassQueries,
    budget: np.ndarray,
    options: SearchOptions,
) -> SearchSpec:
    """Check the arguments of a search and join them.

    Args:
        store: N images.
        queries: K classes, of the same encoder.
        budget: (K,) whole numbers >= 0.
        options: Options of the search.

    Returns:
        The search over K + M classes, the last M with a budget of 0.

    Raises:
        ValueError: If store and queries differ in encoder or width, the
            budget has not K numbers, or an option is unknown.
    """
    queries.check_store(store)
    if options.assign not in ASSIGNMENTS:
        raise ValueError(
            f'assign must be one of {", ".join(ASSIGNMENTS)}, got '
            f'{options.assign!r}'
        )
    if options.product not in PRODUCTS:
        raise ValueError(
            f'product must be one of {", ".join(PRODUCTS)}, got '
            f'{options.product!r}'
        )
    num_classes, dim = queries.embeddings.shape
    embeddings = join_queries(queries, options.background)
    temperature, score = options.temperature, options.score
    check_score(score, temperature, len(embeddings))
    if len(budget) != num_classes:
        raise ValueError(f'{len(budget)} budgets for {num_classes} classes')
    if dim != store.dim:
        raise ValueError(
            f'queries of width {dim} for a store of width {store.dim}'
        )
    counts = np.zeros(len(embeddings), np.int64)  # (K + M,)
    counts[:num_classes] = budget
    embeddings = embeddings.astype(np.float64)  # (K + M, D)
    return SearchSpec(
        store,
        counts,
        make_class_logits(embeddings, temperature, score),
        ExactRanking(store, embeddings, temperature, score, options.assign),
        options.keep_rows,
        options.max_bad_rows,
    )

"""Candidates by their exact scores."""

from dataclasses import dataclass

import numpy as np

from ltvl_mm.retrieval.search.candidate_pool import CandidatePool
from ltvl_mm.retrieval.search.exact_products import multiply_exactly
from ltvl_mm.retrieval.search.scores import RowScores
from ltvl_mm.structures.embedding_store import EmbeddingStore

# Logits held at a time: 4 MB of float64.
_CHUNK_NUMBERS = 500_000


@dataclass(frozen=True)
class Candidates:
    """The best images of one class, best first.

    Args:
        rows: (M,) int64 rows of the store.
        scores: (M,) float64, falling; ties in the order of the rows.
        cosines: (M,) float64.
    """

    rows: np.ndarray
    scores: np.ndarray
    cosines: np.ndarray


@dataclass(frozen=True)
class ExactRanking:
    """The order of candidates, the same bits wherever it is computed.

    Args:
        store: N images.
        queries: (K, D) float64, see :func:`.exact_products.multiply_exactly`.
        temperature: Temperature of the softmax, > 0.
        score: Name of the score; see
            :func:`ltvl_mm.retrieval.search.scores.compute_scores`.
        assign: With ``'argmax'`` an image is a candidate of its best class
            only.
    """

    store: EmbeddingStore
    queries: np.ndarray
    temperature: float
    score: str
    assign: str

    def rank(
        self, rows: np.ndarray, labels: np.ndarray, budget: np.ndarray
    ) -> list[Candidates]:
        """Return the ``budget[k]`` best of each class among (M,) pairs."""
        scores, cosines, valid = self._score(rows, labels)
        places = np.flatnonzero(valid)
        order = np.lexsort([rows[places], -scores[places], labels[places]])
        places = places[order]
        starts = np.searchsorted(labels[places], np.arange(len(budget) + 1))
        return [
            Candidates(rows[best], scores[best], cosines[best])
            for best in (
                places[start : min(start + count, end)]
                for start, end, count in zip(
                    starts[:-1], starts[1:], budget, strict=True
                )
            )
        ]

    def thin_out(self, pool: CandidatePool) -> None:
        """Decide among a pool's ties, where they keep too many."""
        full = pool.find_over_capacity()
        if not len(full):
            return
        places = np.flatnonzero(np.isin(pool.labels, full))
        rows, labels = pool.rows[places], pool.labels[places]
        scores, _, valid = self._score(rows, labels)
        order = np.lexsort([rows, -scores, labels, ~valid])
        order = order[: valid.sum()]  # the invalid ones come last
        rank = np.arange(len(order)) - np.searchsorted(
            labels[order], labels[order]
        )
        keep = order[rank < pool.budget[labels[order]]]
        pool.drop(np.delete(places, keep))

    def _score(
        self, rows: np.ndarray, labels: np.ndarray
    ) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Return scores, cosines, and which pairs are candidates at all."""
        order = np.argsort(rows, kind='stable')
        scores, cosines = np.empty(len(rows)), np.empty(len(rows))
        valid = np.ones(len(rows), bool)
        unique, starts = np.unique(rows[order], return_index=True)
        starts = np.append(starts, len(rows))
        step = max(1, _CHUNK_NUMBERS // len(self.queries))
        for first in range(0, len(unique), step):
            last = min(first + step, len(unique))
            block = multiply_exactly(
                self.store.read_rows(unique[first:last], raw=True),
                self.queries,
            )
            places = order[starts[first] : starts[last]]
            local = np.searchsorted(unique[first:last], rows[places])
            cosines[places] = block[local, labels[places]]
            if self.score != 'cosine':
                block /= self.temperature
            summary = RowScores(block, self.score)
            scores[places] = summary.score(local, labels[places])
            if self.assign == 'argmax':
                valid[places] = summary.best_class[local] == labels[places]
        # exp() of another machine may differ in the last bits.
        return np.round(scores, 9), cosines, valid

"""For each class the best images of a store: one pass, exact."""

from dataclasses import dataclass

import numpy as np

from ltvl_mm.retrieval.scores import compute_scores
from ltvl_mm.structures.class_queries import ClassQueries
from ltvl_mm.structures.embedding_store import EmbeddingStore
from ltvl_mm.utils.progress import progress_bar

ASSIGNMENTS = ('independent', 'argmax')

# Scores held at a time, in numbers: 64 MB of float64.
_CHUNK_NUMBERS = 8_000_000


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


def select_images(
    store: EmbeddingStore,
    queries: ClassQueries,
    budget: np.ndarray,
    *,
    temperature: float,
    score: str = 'softmax',
    assign: str = 'independent',
) -> list[Candidates]:
    """Return, for each class, the ``budget[k]`` images of highest score.

    Source: Eq. 4 of the TACKLE paper. Reads the store once and holds one
    chunk and the running best, never the N x K matrix.

    Args:
        store: N images.
        queries: K classes, of the same encoder.
        budget: (K,) whole numbers >= 0.
        temperature: Of the softmax, > 0.
        score: See :func:`ltvl_mm.retrieval.scores.compute_scores`.
        assign: ``'independent'``: an image may serve several classes (the
            paper does not forbid it); ``'argmax'``: only its best one.

    Raises:
        ValueError: If store and queries differ in encoder or width, the
            budget has not K numbers, or an option is unknown.
    """
    queries.check_store(store)
    if assign not in ASSIGNMENTS:
        raise ValueError(
            f'assign must be one of {", ".join(ASSIGNMENTS)}, got {assign!r}'
        )
    if len(budget) != len(queries.class_names):
        raise ValueError(
            f'a budget of {len(budget)} numbers for '
            f'{len(queries.class_names)} classes'
        )
    if queries.embeddings.shape[1] != store.dim:
        raise ValueError(
            f'class queries of width {queries.embeddings.shape[1]} for a '
            f'store of width {store.dim}'
        )
    classes = queries.embeddings.astype(np.float64).T  # (D, K)
    running = [_RunningBest(int(count)) for count in budget]
    rows = max(1, _CHUNK_NUMBERS // classes.shape[1])
    with progress_bar(total=len(store), title='select', unit='img') as bar:
        for start, chunk in store.iterate(rows):
            cosines = chunk.astype(np.float64) @ classes
            scores = compute_scores(
                cosines, temperature=temperature, score=score
            )
            if assign == 'argmax':
                lost = np.ones_like(scores, bool)
                lost[np.arange(len(scores)), cosines.argmax(1)] = False
                scores[lost] = -np.inf
            for label, best in enumerate(running):
                best.add(start, scores[:, label], cosines[:, label])
            bar.update(len(chunk))
    return [best.finish() for best in running]


class _RunningBest:
    """The ``count`` best of what was seen, by (-score, row)."""

    def __init__(self, count: int) -> None:
        self.count = count
        self.floor = -np.inf
        self.rows = np.empty(0, np.int64)
        self.scores = np.empty(0)
        self.cosines = np.empty(0)

    def add(self, start: int, scores: np.ndarray, cosines: np.ndarray) -> None:
        # Rows come in rising order: one that only ties with the floor comes
        # after what it ties with, and loses.
        new = np.flatnonzero(scores > self.floor)
        if self.count == 0 or not len(new):
            return
        self.rows = np.concatenate([self.rows, start + new])
        self.scores = np.concatenate([self.scores, scores[new]])
        self.cosines = np.concatenate([self.cosines, cosines[new]])
        order = np.lexsort([self.rows, -self.scores])[: self.count]
        self.rows, self.scores, self.cosines = (
            self.rows[order],
            self.scores[order],
            self.cosines[order],
        )
        if len(order) == self.count:
            self.floor = self.scores[-1]

    def finish(self) -> Candidates:
        return Candidates(self.rows, self.scores, self.cosines)

"""Choose the best candidates of each class, without near-duplicates."""

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from ltvl_mm.retrieval.dedup.image_traits import (
    Copy,
    ImageTraits,
    StoreEmbeddings,
    read_traits,
)
from ltvl_mm.retrieval.dedup.near_duplicates import find_leaks, keep_originals
from ltvl_mm.retrieval.options import CopyRule
from ltvl_mm.retrieval.search.exact_ranking import Candidates
from ltvl_mm.structures.embedding_store import EmbeddingStore
from ltvl_mm.utils.log_odds import compute_probability
from ltvl_mm.utils.progress import progress_bar

# Candidates whose traits are held at a time: 0.2 GB.
_CANDIDATES = 1 << 21


@dataclass(frozen=True)
class Rejected:
    """Candidate that was skipped, and why.

    Args:
        key: The image.
        class_id: For which class it was a candidate.
        reason: ``'duplicate'`` of an image of the class, or ``'excluded'``.
        copy_of: Key of the image it copies.
        cosine: Between the two.
        evidence: ``'bytes'``, ``'url'`` or ``'looks'``.
    """

    key: str
    class_id: int
    reason: str
    copy_of: str
    cosine: float
    evidence: str


class ImageChoice:
    """The images of each class, chosen from more and more candidates.

    Args:
        store: Store of the candidates.
        budget: (K,) images wanted.
        excluded: Stores of images of which no copy is taken.
        duplicates: Rule for copies of each other within a class.
        exclude: Rule for copies of excluded images.
        lowest_score: Candidates of a lower score are not taken; default
            -inf.
        min_precision: A class ends where the mean probability of its images
            falls below this, in [0, 1); default 0.

    Attributes:
        too_low: (K,) number of candidates whose score was too low.
        imprecise: (K,) images of the budget that were left out, because the
            mean probability would have been too low.
        skipped: (S,) rows of the store whose embedding cannot be used.
        excluded_skipped: Likewise of each excluded store.
    """

    def __init__(
        self,
        store: EmbeddingStore,
        budget: np.ndarray,
        *,
        excluded: Sequence[EmbeddingStore],
        duplicates: CopyRule,
        exclude: CopyRule,
        lowest_score: float = -math.inf,
        min_precision: float = 0.0,
    ) -> None:
        self.store = store
        self.budget = budget
        self.excluded = excluded
        self.duplicates = duplicates
        self.exclude = exclude
        self.lowest_score = lowest_score
        self.min_precision = min_precision
        nothing = Candidates(np.empty(0, np.int64), np.empty(0), np.empty(0))
        self.chosen = [nothing] * len(budget)
        self.rejected: list[list[Rejected]] = [[] for _ in budget]
        self.candidates = np.zeros(len(budget), np.int64)
        self.exhausted = np.zeros(len(budget), bool)
        self.too_low = np.zeros(len(budget), np.int64)
        self.imprecise = np.zeros(len(budget), np.int64)
        self.skipped = np.empty(0, np.int64)
        self.excluded_skipped: list[np.ndarray] = []

    def consider(self, asked: np.ndarray, found: list[Candidates]) -> None:
        """Choose anew for the classes that were asked for.

        Args:
            asked: (K,) how many candidates; 0 leaves a class unchanged.
            found: The candidates of K classes; if fewer, there are no more.
        """
        labels = np.flatnonzero(asked)
        found = self._drop_low_scores(labels, found)
        with progress_bar(
            total=len(labels), title='drop copies', unit='class'
        ) as bar:
            for block in _split_labels(labels, found):
                for label in self._choose_block(block, found):
                    count = len(found[label].rows)
                    self.candidates[label] = count
                    self.exhausted[label] = count < asked[
                        label
                    ] or count == len(self.store)
                    bar.update()

    def find_short(self) -> np.ndarray:
        """Return the classes that lack images, while the store has more."""
        taken = np.array([len(best.rows) for best in self.chosen], int)
        done = self.exhausted | (self.imprecise > 0)
        return np.flatnonzero((taken < self.budget) & ~done)

    def _drop_low_scores(
        self, labels: np.ndarray, found: list[Candidates]
    ) -> list[Candidates]:
        """Return the candidates of K classes without those of low score."""
        kept = list(found)
        for label in labels:
            best = found[label]
            # Scores fall, so those that are too low come last.
            count = int((best.scores >= self.lowest_score).sum())
            self.too_low[label] = len(best.rows) - count
            kept[label] = Candidates(
                best.rows[:count], best.scores[:count], best.cosines[:count]
            )
        return kept

    def _choose_block(
        self, labels: np.ndarray, found: list[Candidates]
    ) -> Iterator[int]:
        """Choose for some classes, and yield each when it is done."""
        rows = np.unique(np.concatenate([found[k].rows for k in labels]))
        traits = read_traits(self.store, rows)
        leaks = find_leaks(traits, self.excluded, self.exclude)
        for label in labels.tolist():
            self._choose(label, found[label], rows, traits, leaks)
            yield label

    def _choose(
        self,
        label: int,
        found: Candidates,
        rows: np.ndarray,
        traits: ImageTraits,
        leaks: list[Copy | None],
    ) -> None:
        places = np.searchsorted(rows, found.rows)
        leaked = np.array([leaks[place] is not None for place in places], bool)
        clean = np.flatnonzero(~leaked)
        inside = places[clean]
        embeddings = StoreEmbeddings(
            self.store, rows[inside], drop_uneven=False
        )
        twins = keep_originals(
            traits.pick(inside, embeddings),
            self.duplicates,
        )
        copied = np.array([twin is not None for twin in twins], bool)
        best = clean[~copied][: self.budget[label]]
        count = count_precise(found.scores[best], self.min_precision)
        self.imprecise[label] = len(best) - count
        best = best[:count]
        self.chosen[label] = Candidates(
            found.rows[best], found.scores[best], found.cosines[best]
        )
        excluded = [(place, leaks[place]) for place in places]
        duplicates = zip(inside, twins, strict=True)
        self.rejected[label] = [
            Rejected(
                traits.keys[place],
                int(label),
                reason,
                copy.of,
                copy.cosine,
                copy.evidence,
            )
            for reason, pairs in (
                ('excluded', excluded),
                ('duplicate', duplicates),
            )
            for place, copy in pairs
            if copy
        ]


def _split_labels(
    labels: np.ndarray, found: list[Candidates]
) -> list[np.ndarray]:
    """Split classes into runs of at most _CANDIDATES, or of one class."""
    ends = np.cumsum([len(found[label].rows) for label in labels])
    runs, first = [], 0
    while first < len(labels):
        before = ends[first - 1] if first else 0
        last = np.searchsorted(ends, before + _CANDIDATES, side='right')
        last = max(int(last), first + 1)
        runs.append(labels[first:last])
        first = last
    return runs


def count_precise(scores: np.ndarray, min_precision: float) -> int:
    """Return the largest n whose n best images reach a mean probability.

    Args:
        scores: (M,) log-odds, in descending order.
        min_precision: Minimum mean probability of the n images, in [0, 1); 0
            for all M.
    """
    if not min_precision:
        return len(scores)
    probabilities = compute_probability(scores)
    means = np.cumsum(probabilities) / np.arange(1, len(scores) + 1)
    return int((means >= min_precision).sum())

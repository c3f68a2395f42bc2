"""Scores of images for classes."""

import numpy as np

from ltvl_mm.retrieval.options import SCORES


def check_score(score: str, temperature: float, num_classes: int) -> None:
    """Raise ValueError unless these make a ranking.

    Args:
        score: One of SCORES.
        temperature: > 0.
        num_classes: At least 2, except for ``'cosine'``.
    """
    if score not in SCORES:
        raise ValueError(
            f'score must be one of {", ".join(SCORES)}, got {score!r}'
        )
    if not temperature > 0:
        raise ValueError(f'temperature must be > 0, got {temperature}')
    check_num_classes(score, num_classes)


def check_num_classes(score: str, num_classes: int) -> None:
    """Raise ValueError if a score compares classes, and there is one only.

    Args:
        score: One of SCORES.
        num_classes: Number of classes and background names.
    """
    if num_classes < 2 and score != 'cosine':
        raise ValueError(
            f'score={score!r} compares classes and there is one only; use '
            f"score='cosine' (--score cosine), or background names "
            f'(--background builtin)'
        )


def compute_scores(
    cosines: np.ndarray, *, temperature: float, score: str
) -> np.ndarray:
    """Return (B, K) scores; the larger, the better the image for the class.

    ``'softmax'`` is the log-odds x_k - log sum_{j != k} exp(x_j) of the
    probability p_k = softmax(x)_k with x = cosines / temperature. It orders
    images as p_k does, and does not saturate: at temperature 0.01 p_k rounds
    to 1 for many images, and ties would decide. Source: Eq. 3 of the TACKLE
    paper, read with the temperature inside exp; as printed it cancels.

    Args:
        cosines: (B, K) float64.
        temperature: > 0.
        score: ``'softmax'``; ``'cosine'``, the plain similarity; or
            ``'margin'``, x_k - max_{j != k} x_j.

    Returns:
        Rounded to 9 decimals, which exp() on another machine still gives.

    Raises:
        ValueError: If the score is unknown, the temperature not positive, or
            there is one class only, for which p_k = 1 ranks nothing.
    """
    check_score(score, temperature, cosines.shape[1])
    if score == 'cosine':
        return np.round(cosines, 9)
    rows, labels = np.indices(cosines.shape).reshape(2, -1)
    found = RowScores(cosines / temperature, score).score(rows, labels)
    return np.round(found, 9).reshape(cosines.shape)


class RowScores:
    """Scores of images (rows) for classes, computed from their logits.

    The best and the second logit of a row are found once, for all classes.

    Args:
        logits: (B, K) float32 or float64; changed while they are read,
            then restored.
        score: One of SCORES.
    """

    def __init__(self, logits: np.ndarray, score: str) -> None:
        self.logits = logits
        self.score_name = score
        rows = np.arange(len(logits))
        self.best_class = logits.argmax(1)
        self.best = logits[rows, self.best_class]
        if logits.shape[1] < 2:
            return
        # exp() relative to the second: the best class's rivals would
        # underflow beside it.
        logits[rows, self.best_class] = -np.inf
        self.second = logits.max(1)
        if score == 'softmax':
            self.weights = logits - self.second[:, None]
            np.exp(self.weights, out=self.weights)  # 0 at the best
            self.rest = self.weights.sum(1)
        logits[rows, self.best_class] = self.best

    def find_pairs(self, bounds: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Return rows and classes of the pairs with logit - level >= bound.

        Args:
            bounds: (K,) float64 bounds; see :func:`find_bounds`.
        """
        limit = self._level()[:, None] + bounds.astype(self.logits.dtype)
        reached = self.logits >= limit
        if self.score_name == 'softmax':
            # The best logit is its level but for a little, which the sum of
            # both would round away at log-odds of 11 and more.
            rest = np.exp((self.second - self.best).astype(np.float64))
            over = np.log1p(rest * self.rest)
            rows = np.arange(len(reached))
            reached[rows, self.best_class] = over <= -bounds[self.best_class]
        return np.divmod(np.flatnonzero(reached), self.logits.shape[1])

    def score(self, rows: np.ndarray, labels: np.ndarray) -> np.ndarray:
        """Return the (M,) scores of M pairs of a row and a class."""
        found = self.logits[rows, labels]
        if self.score_name == 'cosine':
            return found
        top, second = self.best[rows], self.second[rows]
        first = labels == self.best_class[rows]
        if self.score_name == 'margin':
            return found - np.where(first, second, top)
        rest = self.rest[rows]
        with np.errstate(divide='ignore'):  # of two classes one has no rest
            other = np.log(rest - self.weights[rows, labels])
        return found - np.where(
            first,
            second + np.log(rest),
            np.logaddexp(top, second + other),
        )

    def _level(self) -> np.ndarray:
        if self.score_name == 'softmax':
            return np.logaddexp(self.best, self.second + np.log(self.rest))
        return (
            self.best
            if self.score_name == 'margin'
            else np.zeros_like(self.best)
        )


def find_bounds(thresholds: np.ndarray, score: str) -> np.ndarray:
    """Return b with: score_k >= T_k only if logit_k - level >= b_k.

    The level of a row is log sum_j exp(x_j) for ``'softmax'``, where log-odds
    >= T just if log p >= -log(1 + exp(-T)); max_j x_j for ``'margin'``, where
    all but the best class score x_k - max; 0 for ``'cosine'``.

    Args:
        thresholds: (K,) T, may be -inf.
        score: One of SCORES.
    """
    if score == 'cosine':
        return thresholds
    bounds = (
        -np.logaddexp(0, -thresholds)
        if score == 'softmax'
        else np.minimum(thresholds, 0)
    )
    return np.where(thresholds == np.inf, np.inf, bounds)

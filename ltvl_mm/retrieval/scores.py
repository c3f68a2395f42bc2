"""Scores of images for classes, computed in float64."""

import numpy as np

SCORES = ('softmax', 'cosine', 'margin')


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
        Rounded to 9 decimals: what remains beyond depends on where in a
        matrix product a row stood, and equal images must tie.

    Raises:
        ValueError: If the score is unknown, the temperature not positive, or
            there is one class only, for which p_k = 1 ranks nothing.
    """
    if score not in SCORES:
        raise ValueError(
            f'score must be one of {", ".join(SCORES)}, got {score!r}'
        )
    if not temperature > 0:
        raise ValueError(f'temperature must be > 0, got {temperature}')
    if score == 'cosine':
        return np.round(cosines, 9)
    if cosines.shape[1] < 2:
        raise ValueError(
            f'score={score!r} compares classes and there is one only; use '
            f"score='cosine'"
        )
    logits = cosines / temperature
    rows = np.arange(len(logits))
    best = logits.argmax(1)
    top = logits[rows, best]
    # exp() relative to the best and to the second: the best class's rivals
    # would otherwise underflow beside it.
    rivals = logits.copy()
    rivals[rows, best] = -np.inf
    second = rivals.max(1)
    if score == 'margin':
        result = logits - top[:, None]
        result[rows, best] = top - second
        return np.round(result, 9)
    weights = np.exp(rivals - second[:, None])  # (B, K), 0 at the best
    rest = second + np.log(weights.sum(1))  # log sum over j != best
    # For k != best: log(sum_j e^x_j - e^x_k), without cancellation because
    # p_k <= 1/2 there.
    total = np.logaddexp(top, rest)
    share = np.exp(logits - total[:, None])
    share[rows, best] = 0
    result = logits - total[:, None] - np.log1p(-share)
    result[rows, best] = top - rest
    return np.round(result, 9)

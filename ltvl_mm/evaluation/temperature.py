"""Temperature scaling: fit the temperature of a softmax to labels."""

import numpy as np

# Inverse temperatures that are searched: CLIP learns at most 100.
_LOWEST, _HIGHEST = 1e-2, 1e4
_STEPS = 60


def compute_nll(
    similarities: np.ndarray, labels: np.ndarray, temperature: float
) -> float:
    """Return the mean negative log-likelihood of labels, in nats.

    Args:
        similarities: (N, K) cosines of images and classes, or logits.
        labels: (N,) true classes, in [0, K).
        temperature: Temperature of the softmax over classes, > 0.
    """
    logits = np.asarray(similarities, np.float64) / temperature
    top = logits.max(1)
    total = top + np.log(np.exp(logits - top[:, None]).sum(1))
    return float((total - logits[np.arange(len(labels)), labels]).mean())


def fit_temperature(similarities: np.ndarray, labels: np.ndarray) -> float:
    """Return the temperature under which labels are most likely.

    Source: temperature scaling, Guo et al. 2017 (arXiv 1706.04599), section
    4.2. The negative log-likelihood is convex in the inverse temperature, so
    bisection of its derivative finds the minimum.

    Args:
        similarities: (N, K) cosines of images and classes, N > 0.
        labels: (N,) true classes, in [0, K).

    Returns:
        Temperature, rounded to four significant digits, in [1e-4, 100]. The
        upper end means that the similarities say nothing about the labels.

    Raises:
        ValueError: If there are no images, or fewer than two classes.
    """
    similarities = np.asarray(similarities, np.float64)
    if similarities.ndim != 2 or not len(similarities):
        raise ValueError(
            f'expected (N, K) similarities of one or more images, got shape '
            f'{similarities.shape}'
        )
    if similarities.shape[1] < 2:
        raise ValueError('a softmax over one class has no temperature to fit')
    own = similarities[np.arange(len(labels)), labels]
    # In logarithms, since the scale spans several powers of ten.
    low, high = np.log(_LOWEST), np.log(_HIGHEST)
    for _ in range(_STEPS):
        middle = (low + high) / 2
        logits = np.exp(middle) * similarities
        weights = np.exp(logits - logits.max(1, keepdims=True))
        expected = (weights * similarities).sum(1) / weights.sum(1)
        # Derivative of the likelihood by the inverse temperature.
        if own.mean() > expected.mean():
            low = middle
        else:
            high = middle
    return round_temperature(1 / np.exp((low + high) / 2))


def round_temperature(temperature: float) -> float:
    """Return a temperature with four significant digits."""
    return float(f'{temperature:.4g}')

"""Temperature scaling: fit the temperature of a softmax to labels."""

import numpy as np

from ltvl_mm.structures.softmax_temperature import ENOUGH_VAL

# Temperatures that are searched: CLIP learns at least 0.01.
LOWEST, HIGHEST = 1e-4, 100.0
_STEPS = 60


def compute_nll(
    similarities: np.ndarray, labels: np.ndarray, temperature: float
) -> float:
    """Return the mean negative log-likelihood of labels, in nats.

    Args:
        similarities: (N, K) cosines of images and classes, or logits.
        labels: (N,) true classes, in [0, K).
        temperature: Temperature of the softmax over classes, > 0.

    Raises:
        ValueError: If there are no images, a similarity is not finite, or
            there is not one label in [0, K) per image.
    """
    logits = _check_similarities(similarities, labels) / temperature
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
        Temperature, rounded to four significant digits, in [LOWEST,
        HIGHEST]. The likelihood has no maximum in between at the ends, see
        :func:`describe_weak_fit`.

    Raises:
        ValueError: If there are no images, fewer than two classes, a
            similarity is not finite, or there is not one label in [0, K) per
            image.
    """
    similarities = _check_similarities(similarities, labels)
    if similarities.shape[1] < 2:
        raise ValueError(
            'a softmax over one class has no temperature to fit; give two or '
            'more classes, or background names'
        )
    own = similarities[np.arange(len(labels)), labels]
    # Differences to the own class: their sum is exact where all but the
    # weight of that class underflow.
    gaps = own[:, None] - similarities
    if (gaps >= 0).all():
        # Each lower temperature is more likely, unless all are equally.
        return LOWEST if (gaps > 0).any() else HIGHEST
    # In logarithms, since the scale spans several powers of ten.
    low, high = np.log(1 / HIGHEST), np.log(1 / LOWEST)
    for _ in range(_STEPS):
        middle = (low + high) / 2
        logits = np.exp(middle) * similarities
        weights = np.exp(logits - logits.max(1, keepdims=True))
        # Derivative of the likelihood by the inverse temperature.
        slope = (weights * gaps).sum(1) / weights.sum(1)
        if slope.mean() > 0:
            low = middle
        else:
            high = middle
    return round_temperature(1 / np.exp((low + high) / 2))


def describe_weak_fit(temperature: float, images: int) -> str | None:
    """Return why a fitted temperature is not to be relied on, or None.

    Args:
        temperature: Result of :func:`fit_temperature`.
        images: Number of images that it was fitted to.

    Returns:
        A clause for a message; None for a fit to at least 50 images that is
        not at an end of the range.
    """
    if temperature >= HIGHEST:
        return (
            f'{temperature:g} is the highest temperature that is searched: '
            f'the similarities say nothing about the labels of the {images} '
            f'val images'
        )
    if temperature <= LOWEST:
        return (
            f'{temperature:g} is the lowest temperature that is searched: '
            f'the label is the most similar name for each of the {images} '
            f'val images, or nearly so, and all probabilities become 0 or 1'
        )
    if images < ENOUGH_VAL:
        return (
            f'{images} val images are too few to fit a temperature reliably '
            f'(at least {ENOUGH_VAL})'
        )
    return None


def _check_similarities(
    similarities: np.ndarray, labels: np.ndarray
) -> np.ndarray:
    """Return (N, K) similarities as float64; raise ValueError if unusable."""
    found = np.asarray(similarities, np.float64)
    if found.ndim != 2 or not len(found):
        raise ValueError(
            f'expected (N, K) similarities of one or more images, got shape '
            f'{found.shape}'
        )
    if not np.isfinite(found).all():
        row, label = np.argwhere(~np.isfinite(found))[0]
        raise ValueError(
            f'the similarity of image {row} and class {label} is '
            f'{found[row, label]}, expected finite numbers'
        )
    labels = np.asarray(labels)
    if labels.shape != (len(found),) or labels.dtype.kind not in 'iu':
        raise ValueError(
            f'expected {len(found)} whole numbers as labels, one per image, '
            f'got {labels.dtype} of shape {labels.shape}'
        )
    outside = (labels < 0) | (labels >= found.shape[1])
    if outside.any():
        row = int(np.flatnonzero(outside)[0])
        raise ValueError(
            f'label {labels[row]} of image {row} lies outside '
            f'[0, {found.shape[1]})'
        )
    return found


def round_temperature(temperature: float) -> float:
    """Return a temperature with four significant digits."""
    return float(f'{temperature:.4g}')

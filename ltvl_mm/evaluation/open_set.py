"""Open-set metrics: detection of images of unknown classes."""

import numpy as np

from ltvl_mm.structures.predictions import Predictions


def measure_open_set(
    known: Predictions, unknown: Predictions, threshold: float
) -> dict[str, float]:
    """Return the F-measure of OLTR and its parts, in percent.

    An image is rejected if its highest probability lies below the threshold.
    With R known images that are accepted and right, and A unknown images
    that are accepted, precision is R / (known images) and recall R / (R + A).
    A rejected known image is a wrong one. (Until January 2020 the authors'
    code counted it neither way, says its README, and the numbers of the paper
    "might be a little bit higher" for it.) Source: Liu et al. 2019 (arXiv
    1904.05160), section 4; ``F_measure`` of its code, after Bendale and Boult
    2016 (arXiv 1511.06233).

    Args:
        known: Predictions for test images, each of a known class.
        unknown: Predictions of the same model for open-set images.
        threshold: In [0, 1]; 0 rejects nothing.

    Returns:
        ``threshold`` unchanged; ``precision``, ``recall``, ``f_measure``,
        each 0 if no known image is accepted and right; ``unknown_rejected``,
        the share of unknown images that are.

    Raises:
        ValueError: If the threshold lies outside [0, 1].
    """
    if not 0 <= threshold <= 1:
        raise ValueError(f'threshold must lie in [0, 1], got {threshold}')
    right = (reject_below(known, threshold) == known.labels).sum()
    accepted = (unknown.probabilities.max(1) >= threshold).sum()
    # The harmonic mean of the two, with nothing to divide by 0.
    f_measure = 2 * right / (len(known) + right + accepted)
    return {
        'threshold': threshold,
        'precision': float(100 * right / len(known)),
        'recall': float(100 * right / max(right + accepted, 1)),
        'f_measure': float(100 * f_measure),
        'unknown_rejected': float(100 * (1 - accepted / len(unknown))),
    }


def check_open_set(known: Predictions, unknown: Predictions) -> None:
    """Refuse two files that cannot be of one open-set test.

    Raises:
        ValueError: If they are of different classes, or share an image.
    """
    mine, theirs = (each.probabilities.shape[1] for each in (known, unknown))
    if mine != theirs:
        raise ValueError(
            f'known images were sorted into {mine} classes, unknown ones '
            f'into {theirs}: by different models'
        )
    if both := set(known.paths) & set(unknown.paths):
        raise ValueError(
            f'{min(both)} is among the known and the unknown images'
        )


def reject_below(known: Predictions, threshold: float) -> np.ndarray:
    """Return the (N,) predicted classes; a wrong one for a rejected image."""
    pred = known.probabilities.argmax(1)
    rejected = known.probabilities.max(1) < threshold
    wrong = (known.labels + 1) % known.probabilities.shape[1]
    return np.where(rejected, wrong, pred)

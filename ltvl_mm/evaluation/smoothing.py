"""Smooth accuracies of classes along their training images."""

import numpy as np

# Width of the kernel as a share of the range of log counts. Wide enough that
# the few test images of single classes do not show as peaks.
_BANDWIDTH = 0.08
# Classes without training images have no logarithm.
_MIN_COUNT = 0.5


def smooth_by_count(
    counts: np.ndarray, accuracies: np.ndarray, *, points: int = 64
) -> tuple[np.ndarray, np.ndarray]:
    """Return a curve of accuracy against training images.

    A weighted mean over classes, with a Gaussian kernel over the logarithm of
    their training images. Source: Nadaraya 1964, Watson 1964.

    Args:
        counts: (K,) training images of each class.
        accuracies: (K,) percent; NaN for classes that were not tested.
        points: Maximum number P of points of the curve.

    Returns:
        (P,) training images, the most first, and (P,) smoothed accuracies.
        Empty if no class was tested.
    """
    tested = ~np.isnan(accuracies)
    if not tested.any():
        return np.empty(0), np.empty(0)
    places = np.log(np.maximum(counts[tested], _MIN_COUNT))
    first, last = places.max(), places.min()
    if first == last:
        return np.exp([first]), np.array([accuracies[tested].mean()])
    grid = np.linspace(first, last, points)
    distance = (grid[:, None] - places) / (_BANDWIDTH * (first - last))
    # The nearest class counts fully, so that no sum of weights is 0.
    nearest = np.abs(distance).min(1, keepdims=True)
    weights = np.exp((nearest**2 - distance**2) / 2)  # (P, K)
    return np.exp(grid), weights @ accuracies[tested] / weights.sum(1)

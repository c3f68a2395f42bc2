"""Precision of retrieved images."""

import numpy as np


def compute_precision_curve(right: np.ndarray, rank: np.ndarray) -> np.ndarray:
    """Return the precision of the best n images of each class, n = 1, 2, ...

    Args:
        right: (M,) bool, of the images of some classes.
        rank: (M,) their ranks, 0 the best of a class.

    Returns:
        (highest rank + 1,) percent of the images up to a rank that are right,
        over all classes together; a class that has fewer gives what it has.
    """
    if not len(rank):
        return np.empty(0)
    total = np.cumsum(np.bincount(rank))
    return 100 * np.cumsum(np.bincount(rank, right)) / total


def compute_precision_at_r(scores: np.ndarray, labels: np.ndarray) -> float:
    """Return the R-precision in percent, the mean over classes.

    R is the number of images that show a class. Of its R images of highest
    score, as many are counted as show it. Equal scores keep their order.

    Args:
        scores: (N, K); the larger, the better; -inf for never.
        labels: (N,) classes in [0, K), -1 for an image of none.
    """
    found = []
    for label in range(scores.shape[1]):
        wanted = int((labels == label).sum())
        if wanted:
            best = np.argsort(-scores[:, label], kind='stable')[:wanted]
            found.append((labels[best] == label).mean())
    return float(100 * np.mean(found))

"""How many retrieved images show what they were retrieved for."""

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

"""Probabilities of log-odds."""

import numpy as np


def compute_probability(log_odds: np.ndarray) -> np.ndarray:
    """Return p of log(p / (1 - p)), in [0, 1], for any shape.

    Args:
        log_odds: Numbers of any size; infinite ones give 0 or 1.
    """
    # exp() of a large log-odds would overflow.
    return np.exp(-np.logaddexp(0, -log_odds))

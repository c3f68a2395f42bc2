"""Bootstrap intervals of accuracies over test images."""

import numpy as np

from ltvl_mm.structures.class_counts import GROUPS
from ltvl_mm.utils.rng import make_generator

MEASURES = (*GROUPS, 'all', 'harmonic_mean')


def resample_accuracies(
    right: np.ndarray,
    target: np.ndarray,
    group_of_class: np.ndarray,
    *,
    draws: int = 1000,
    seed: int = 0,
) -> dict[str, np.ndarray]:
    """Return the accuracies of R models on redrawn test sets.

    A draw takes N test images with replacement, the same for all models, so
    that the difference of two of them is paired. Source: the percentile
    bootstrap, Efron and Tibshirani 1993.

    Args:
        right: (R, N) bool, which model is right on which image.
        target: (N,) true classes, in [0, K).
        group_of_class: (K,) names.
        draws: D.
        seed: Seed of the draws.

    Returns:
        Measure -> (R, D) percent; ``many``, ``medium``, ``few`` and
        ``harmonic_mean`` are means over the classes that were drawn; a group
        is absent when none of its classes can be.
    """
    images, classes = right.shape[1], len(group_of_class)
    groups = {
        name: np.flatnonzero(
            (group_of_class == name) & (np.bincount(target, None, classes) > 0)
        )
        for name in GROUPS
    }
    groups = {name: inside for name, inside in groups.items() if len(inside)}
    found = {
        name: np.full((len(right), draws), np.nan)
        for name in (*groups, 'all', 'harmonic_mean')
    }
    rng = make_generator(seed)
    for draw in range(draws):
        times = np.bincount(rng.integers(images, size=images), None, images)
        total = np.bincount(target, times, classes)
        for model, ours in enumerate(right):
            hits = np.bincount(target, times * ours, classes)
            with np.errstate(divide='ignore', invalid='ignore'):
                share = 100 * hits / total  # NaN for what was not drawn
                harmonic = 1 / np.mean(1 / share[total > 0])
            found['all'][model, draw] = 100 * hits.sum() / images
            found['harmonic_mean'][model, draw] = harmonic
            for name, inside in groups.items():
                drawn = inside[total[inside] > 0]
                if len(drawn):
                    found[name][model, draw] = share[drawn].mean()
    return found


def find_interval(
    values: np.ndarray, *, level: float = 0.95
) -> tuple[float, float]:
    """Return the middle ``level`` of (D,) redrawn values."""
    outside = 50 * (1 - level)
    low, high = np.nanpercentile(values, [outside, 100 - outside])
    return float(low), float(high)

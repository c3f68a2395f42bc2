"""Estimates of retrieval quality that need no labels of web images."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from ltvl_mm.structures.class_counts import GROUPS

# Ranks, from 1, at which the probabilities of a class are shown.
RANKS = (1, 10, 30, 100)
# Similarities held at a time: 32 MB of float32.
_CHUNK_NUMBERS = 8_000_000
# Below this agreement among val images themselves, embeddings do not tell
# the classes apart, and a ratio of two small numbers would be noise.
_MIN_CEILING = 10.0


@dataclass(frozen=True)
class Agreement:
    """Whether images lie next to val images of their class.

    Attributes:
        retrieved: (M,) bool: the nearest val image of a retrieved image has
            the class that the image was retrieved for.
        val: (N,) bool: the nearest other val image of a val image has its
            class.
        measured: (K,) bool: classes with two or more val images; the others
            cannot agree with themselves.
    """

    retrieved: np.ndarray
    val: np.ndarray
    measured: np.ndarray


def compute_probabilities(
    cosines: np.ndarray, temperature: float
) -> np.ndarray:
    """Return the (N, K) softmax over classes, float64.

    Args:
        cosines: (N, K) cosines of images and classes.
        temperature: Temperature of the softmax, > 0.
    """
    logits = np.asarray(cosines, np.float64) / temperature
    weights = np.exp(logits - logits.max(1, keepdims=True))
    return weights / weights.sum(1, keepdims=True)


def pick_ranks(
    probabilities: np.ndarray,
    class_id: np.ndarray,
    rank: np.ndarray,
    num_classes: int,
    ranks: Sequence[int] = RANKS,
) -> np.ndarray:
    """Return the probability of the n-th image of each class.

    Args:
        probabilities: (M,) probability of each retrieved image for its class.
        class_id: (M,) classes, in [0, K).
        rank: (M,) ranks in the class, from 0.
        num_classes: K.
        ranks: R numbers n, from 1.

    Returns:
        (K, R) float64; NaN if a class has fewer images.
    """
    found = np.full((num_classes, len(ranks)), np.nan)
    for column, number in enumerate(ranks):
        inside = rank == number - 1
        found[class_id[inside], column] = probabilities[inside]
    return found


def measure_agreement(
    retrieved: np.ndarray,
    class_id: np.ndarray,
    val: np.ndarray,
    val_labels: np.ndarray,
    num_classes: int,
) -> Agreement:
    """Compare retrieved images with their nearest val images.

    Args:
        retrieved: (M, D) float32 embeddings, L2-normalized.
        class_id: (M,) classes that they were retrieved for, in [0, K).
        val: (N, D) float32 embeddings of val images, L2-normalized.
        val_labels: (N,) their classes.
        num_classes: K.
    """
    count = np.bincount(val_labels, minlength=num_classes)
    nearest = _find_nearest(retrieved, val)
    # A val image is its own nearest one, so the second is taken.
    nearest_val = _find_nearest(val, val, skip_self=True)
    return Agreement(
        val_labels[nearest] == class_id,
        val_labels[nearest_val] == val_labels
        if len(val) > 1
        else np.zeros(len(val), bool),
        count >= 2,
    )


def estimate_precision(
    agreement: Agreement,
    class_id: np.ndarray,
    val_labels: np.ndarray,
    classes: np.ndarray | None = None,
) -> dict[str, float | int | None]:
    """Estimate the share of retrieved images that show their class.

    Images that do show it agree with the nearest val image as often as val
    images of the class agree among themselves. The estimate is the ratio of
    the two, at most 100. Wrong images of similar classes agree by chance, so
    it is rather too high; with few val images a class it is rough.

    Args:
        agreement: Of :func:`measure_agreement`.
        class_id: (M,) classes of the retrieved images.
        val_labels: (N,) classes of the val images.
        classes: (K,) bool, classes to look at; None for all.

    Returns:
        ``images``: retrieved images that were compared; ``agreement``: of
        these, in percent; ``expected``: what it would be if all showed their
        class; ``precision``: the estimate in percent. None where there is
        nothing to compare.
    """
    measured = (
        agreement.measured
        if classes is None
        else (agreement.measured & classes)
    )
    inside = measured[class_id]
    if not inside.any():
        return dict(images=0, agreement=None, expected=None, precision=None)
    total = np.bincount(val_labels, minlength=len(measured))
    agreeing = np.bincount(val_labels, agreement.val, minlength=len(measured))
    own = 100 * agreeing / np.maximum(total, 1)
    agreed = float(100 * agreement.retrieved[inside].mean())
    # Classes count as often as they have retrieved images.
    expected = float(own[class_id[inside]].mean())
    precision = (
        min(100.0, 100 * agreed / expected)
        if expected >= _MIN_CEILING
        else None
    )
    return dict(
        images=int(inside.sum()),
        agreement=agreed,
        expected=expected,
        precision=precision,
    )


def summarize_by_group(
    values: Mapping[str, np.ndarray], groups: np.ndarray
) -> dict[str, dict[str, float]]:
    """Return the means of per-class values over groups of classes.

    Args:
        values: Name -> (K,) numbers; NaN is left out.
        groups: (K,) group names.

    Returns:
        Group or ``'all'`` -> name -> mean; groups and values without numbers
        are absent.
    """
    found: dict[str, dict[str, float]] = {}
    for group in (*GROUPS, 'all'):
        inside = (groups == group) | (group == 'all')
        for name, numbers in values.items():
            some = numbers[inside & ~np.isnan(numbers)]
            if len(some):
                found.setdefault(group, {})[name] = float(some.mean())
    return found


def _find_nearest(
    images: np.ndarray, others: np.ndarray, *, skip_self: bool = False
) -> np.ndarray:
    """Return the (M,) indices of the nearest of (N, D) others."""
    nearest = np.zeros(len(images), np.int64)
    step = max(1, _CHUNK_NUMBERS // max(1, len(others)))
    for start in range(0, len(images), step):
        cosines = images[start : start + step] @ others.T
        if skip_self:
            own = np.arange(len(cosines))
            cosines[own, start + own] = -np.inf
        nearest[start : start + step] = cosines.argmax(1)
    return nearest

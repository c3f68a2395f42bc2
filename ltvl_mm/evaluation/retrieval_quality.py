"""Estimates of retrieval quality that need no labels of web images."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from ltvl_mm.structures.class_counts import GROUPS
from ltvl_mm.utils.rng import make_generator

# Ranks, from 1, at which the probabilities of a class are shown.
RANKS = (1, 10, 30, 100)
# Similarities held at a time: 32 MB of float32.
_CHUNK_NUMBERS = 8_000_000
# Val images of a class that retrieved images are compared with.
MIN_REFERENCES, _MAX_REFERENCES = 4, 10
# Bins of confidence in which retrieved and val images are compared.
_BINS = 5
# Fewer correct or wrong val images say nothing about a rate.
_MIN_IMAGES = 10
# A smaller difference between the rates of correct and of wrong images would
# turn noise into an estimate.
_MIN_CONTRAST = 0.1
# Below this probability another class, or none, is more probable.
_HALF = 0.5


@dataclass(frozen=True)
class ValReference:
    """Predictions of zero-shot CLIP and nearest neighbors for N val images.

    Attributes:
        right: (N,) bool: CLIP predicts the label.
        agrees: (N,) bool: the nearest other val image has the class that
            CLIP predicts.
        own: (N,) bool: the nearest other val image has the same label.
        confidence: (N,) calibrated probability of the prediction, in [0, 1].
    """

    right: np.ndarray
    agrees: np.ndarray
    own: np.ndarray
    confidence: np.ndarray


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
    """Return the probability of the n-th best image of each class.

    Args:
        probabilities: (M,) probability of each retrieved image for its class.
        class_id: (M,) class indices of the images, in [0, K).
        rank: (M,) ranks of the images within their class, from 0.
        num_classes: Number of classes K.
        ranks: R ranks n, counted from 1; default 1, 10, 30, 100.

    Returns:
        (K, R) float64; NaN if a class has fewer images.
    """
    found = np.full((num_classes, len(ranks)), np.nan)
    for column, number in enumerate(ranks):
        inside = rank == number - 1
        found[class_id[inside], column] = probabilities[inside]
    return found


def average_ranks(
    probabilities: np.ndarray,
    class_id: np.ndarray,
    rank: np.ndarray,
    num_classes: int,
    ranks: Sequence[int] = RANKS,
) -> np.ndarray:
    """Return the mean probability of the n best images of each class.

    If probabilities are calibrated, the mean is the expected precision of
    these images.

    Args:
        probabilities: (M,) probability of each retrieved image for its class.
        class_id: (M,) class indices of the images, in [0, K).
        rank: (M,) ranks of the images within their class, from 0.
        num_classes: Number of classes K.
        ranks: R numbers n of images, >= 1; default 1, 10, 30, 100.

    Returns:
        (K, R) float64; NaN if a class has fewer images.
    """
    count = np.bincount(class_id, minlength=num_classes)
    found = np.full((num_classes, len(ranks)), np.nan)
    for column, number in enumerate(ranks):
        inside = rank < number
        total = np.bincount(
            class_id[inside], probabilities[inside], minlength=num_classes
        )
        enough = count >= number
        found[enough, column] = total[enough] / number
    return found


def find_sinking_classes(
    probabilities: np.ndarray,
    class_id: np.ndarray,
    rank: np.ndarray,
    num_classes: int,
) -> np.ndarray:
    """Return the classes whose best images are correct and last ones wrong.

    In these classes, the best tenth of the images has a mean probability of
    at least 0.5, and the last tenth a mean below 0.5.

    Args:
        probabilities: (M,) calibrated probabilities of the retrieved images.
        class_id: (M,) class indices of the images, in [0, K).
        rank: (M,) ranks of the images within their class, from 0.
        num_classes: Number of classes K.
    """
    found = []
    for label in range(num_classes):
        inside = np.flatnonzero(class_id == label)
        if len(inside) < _MIN_IMAGES:
            continue
        own = probabilities[inside[np.argsort(rank[inside])]]
        tenth = len(own) // 10
        if own[:tenth].mean() >= _HALF > own[-tenth:].mean():
            found.append(label)
    return np.array(found, np.int64)


def measure_agreement(
    retrieved: np.ndarray,
    class_id: np.ndarray,
    val: np.ndarray,
    val_labels: np.ndarray,
) -> np.ndarray:
    """Return (M,) bool: the nearest val image is of the retrieved class.

    Args:
        retrieved: (M, D) float32 embeddings, L2-normalized.
        class_id: (M,) classes that they were retrieved for, in [0, K).
        val: (N, D) float32 embeddings of val images, L2-normalized, N > 0.
        val_labels: (N,) their classes.
    """
    return val_labels[_find_nearest(retrieved, val)] == class_id


def describe_val(
    val: np.ndarray, val_labels: np.ndarray, probabilities: np.ndarray
) -> ValReference:
    """Return how CLIP and the nearest other val image classify val images.

    Args:
        val: (N, D) float32 embeddings, L2-normalized, N > 1.
        val_labels: (N,) classes, in [0, K).
        probabilities: (N, K) calibrated zero-shot probabilities.
    """
    pred = probabilities.argmax(1)
    nearest = val_labels[_find_nearest(val, val, skip_self=True)]
    return ValReference(
        pred == val_labels,
        nearest == pred,
        nearest == val_labels,
        probabilities.max(1),
    )


def choose_references(
    val_labels: np.ndarray, num_classes: int, seed: int = 0
) -> np.ndarray:
    """Return the (R,) indices of equally many val images of each class.

    Nearest neighbors prefer classes with more images. Classes with fewer
    than MIN_REFERENCES val images get none: leaving out one of so few would
    change how often they agree.

    Args:
        val_labels: (N,) classes of the val images.
        num_classes: K.
        seed: Seed of the draw.
    """
    count = np.bincount(val_labels, minlength=num_classes)
    enough = count >= MIN_REFERENCES
    if not enough.any():
        return np.empty(0, np.int64)
    number = min(int(count[enough].min()), _MAX_REFERENCES)
    order = make_generator(seed).permutation(len(val_labels))
    chosen = [
        order[val_labels[order] == label][:number]
        for label in np.flatnonzero(enough)
    ]
    return np.sort(np.concatenate(chosen))


def estimate_precision(
    agrees: np.ndarray, confidence: np.ndarray, val: ValReference
) -> float | None:
    """Estimate the share of retrieved images that show their class.

    Correct images agree with the nearest val image at one rate, wrong ones
    at a lower rate. Both rates are measured on val images, where it is known
    whether CLIP is right, weighted so that their confidences are distributed
    as those of the retrieved images. The observed agreement is then a
    mixture of the two, which is solved for the share of correct images. On
    an earlier world of drawn shapes (five val images a class) the estimate was
    91 % where the truth was 82 %.

    Args:
        agrees: (M,) bool, of :func:`measure_agreement`.
        confidence: (M,) calibrated probabilities of the retrieved classes.
        val: The same of val images, of :func:`describe_val`.

    Returns:
        Percent in [0, 100]; None if there is no image, or the two rates are
        too close to tell correct from wrong images.
    """
    if not len(agrees):
        return None
    weights = _match_confidence(confidence, val.confidence)
    rate_right = _average(val.agrees, weights * val.right)
    rate_wrong = _average(val.agrees, weights * ~val.right)
    if val.right.sum() < _MIN_IMAGES or rate_right is None:
        rate_right = float(val.own.mean())
    if (~val.right).sum() < _MIN_IMAGES or rate_wrong is None:
        rate_wrong = 0.0
    contrast = rate_right - rate_wrong
    if contrast < _MIN_CONTRAST:
        return None
    share = (agrees.mean() - rate_wrong) / contrast
    return float(100 * np.clip(share, 0, 1))


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


def _match_confidence(wanted: np.ndarray, available: np.ndarray) -> np.ndarray:
    """Return (N,) weights that give one sample the histogram of another."""
    bins = np.linspace(0, 1, _BINS + 1)[1:-1]
    goal = np.bincount(np.digitize(wanted, bins), minlength=_BINS)
    have = np.digitize(available, bins)
    count = np.bincount(have, minlength=_BINS)
    return (goal / np.maximum(count, 1))[have]


def _average(values: np.ndarray, weights: np.ndarray) -> float | None:
    total = weights.sum()
    return float((values * weights).sum() / total) if total > 0 else None

"""Confusions between classes."""

import numpy as np


def find_confused_classes(
    pred: np.ndarray, target: np.ndarray, num_classes: int, *, limit: int
) -> np.ndarray:
    """Return the classes that take part in the most frequent confusions.

    Args:
        pred: (N,) predicted classes, in [0, K).
        target: (N,) true classes, in [0, K).
        num_classes: K.
        limit: Maximum number of classes, >= 2.

    Returns:
        Class indices in increasing order. Pairs of a true and a predicted
        class are taken by their share of the images of the true class; equal
        shares, by number of images. Empty without any confusion.
    """
    wrong = pred != target
    pairs, counts = np.unique(
        target[wrong].astype(np.int64) * num_classes + pred[wrong],
        return_counts=True,
    )
    total = np.bincount(target, minlength=num_classes)
    shares = counts / total[pairs // num_classes]
    chosen: set[int] = set()
    for pair in pairs[np.lexsort((pairs, -counts, -shares))].tolist():
        both = chosen | set(divmod(pair, num_classes))
        if len(both) > limit:
            break
        chosen = both
    return np.array(sorted(chosen), np.int64)


def count_confusions(
    pred: np.ndarray, target: np.ndarray, classes: np.ndarray
) -> np.ndarray:
    """Return how often images of some classes are taken for each other.

    Args:
        pred: (N,) predicted classes.
        target: (N,) true classes.
        classes: (W,) classes to count, without repetition.

    Returns:
        (W, W + 1) percent of a class's images, rows true, columns predicted;
        the last column stands for all other classes.
    """
    place = {int(label): row for row, label in enumerate(classes)}
    counts = np.zeros((len(classes), len(classes) + 1))
    for truth, answer in zip(target.tolist(), pred.tolist(), strict=True):
        if truth in place:
            counts[place[truth], place.get(answer, len(classes))] += 1
    return 100 * counts / np.maximum(counts.sum(1, keepdims=True), 1)

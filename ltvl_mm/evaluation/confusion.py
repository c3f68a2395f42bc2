"""What the worst classes are taken for."""

import numpy as np

from ltvl_mm.evaluation.functional import compute_class_accuracies


def find_worst_classes(
    pred: np.ndarray, target: np.ndarray, num_classes: int, *, limit: int
) -> np.ndarray:
    """Return the tested classes of lowest accuracy, the worst first."""
    accuracies = compute_class_accuracies(pred, target, num_classes)
    order = np.argsort(accuracies, kind='stable')  # NaN comes last
    return order[~np.isnan(accuracies[order])][:limit]


def count_confusions(
    pred: np.ndarray, target: np.ndarray, classes: np.ndarray
) -> np.ndarray:
    """Return how often images of some classes are taken for which of them.

    Args:
        pred: (N,) predicted classes.
        target: (N,) true classes.
        classes: (W,) those looked at, without repetition.

    Returns:
        (W, W + 1) percent of a class's images, rows true, columns predicted;
        the last column is of all other classes.
    """
    place = {int(label): row for row, label in enumerate(classes)}
    counts = np.zeros((len(classes), len(classes) + 1))
    for truth, answer in zip(target.tolist(), pred.tolist(), strict=True):
        if truth in place:
            counts[place[truth], place.get(answer, len(classes))] += 1
    return 100 * counts / np.maximum(counts.sum(1, keepdims=True), 1)

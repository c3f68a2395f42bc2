"""Accuracies of long-tailed recognition."""

import numpy as np

from ltvl_mm.structures.class_counts import GROUPS


def compute_class_accuracies(
    pred: np.ndarray, target: np.ndarray, num_classes: int
) -> np.ndarray:
    """Return the (K,) top-1 accuracy of each class in percent.

    Args:
        pred: (N,) predicted classes, in [0, K).
        target: (N,) true classes, in [0, K).
        num_classes: K.

    Returns:
        NaN for a class without test images.

    Raises:
        ValueError: If a class lies outside [0, K), or lengths differ.
    """
    if pred.shape != target.shape:
        raise ValueError(
            f'{pred.shape} predictions for {target.shape} targets'
        )
    for name, classes in (('predicted', pred), ('true', target)):
        wrong = classes[(classes < 0) | (classes >= num_classes)]
        if len(wrong):
            raise ValueError(
                f'{name} class {wrong[0]} lies outside [0, {num_classes})'
            )
    total = np.bincount(target, minlength=num_classes)
    right = np.bincount(target[pred == target], minlength=num_classes)
    return np.where(total > 0, 100 * right / np.maximum(total, 1), np.nan)


def summarize_accuracies(
    pred: np.ndarray, target: np.ndarray, group_of_class: np.ndarray
) -> dict[str, float]:
    """Return many/medium/few/all top-1 accuracy and other means, in percent.

    Args:
        pred: (N,) predicted classes, in [0, K).
        target: (N,) true classes, in [0, K).
        group_of_class: (K,) names, by training counts *before* retrieval.

    Returns:
        ``many``, ``medium``, ``few``: mean over the group's classes, absent
        when none has a test image. ``all``: share of right predictions,
        as the papers report. ``class_mean``, ``harmonic_mean``,
        ``geometric_mean`` and ``worst_class`` over classes with test images;
        the two means are 0 when one class is never right.
    """
    accuracies = compute_class_accuracies(pred, target, len(group_of_class))
    tested = ~np.isnan(accuracies)
    if not tested.any():
        raise ValueError('there is no prediction to score')
    summary = {
        group: float(accuracies[tested & (group_of_class == group)].mean())
        for group in GROUPS
        if (tested & (group_of_class == group)).any()
    }
    seen = accuracies[tested]
    summary['all'] = float(100 * (pred == target).mean())
    summary['class_mean'] = float(seen.mean())
    with np.errstate(divide='ignore'):
        # Logs: the product of 1000 classes at 40 % underflows.
        summary['harmonic_mean'] = float(1 / (1 / seen).mean())
        summary['geometric_mean'] = float(np.exp(np.log(seen).mean()))
    summary['worst_class'] = float(seen.min())
    return summary

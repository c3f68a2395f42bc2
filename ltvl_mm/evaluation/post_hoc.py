"""Changes of a trained model's answers: chosen on val, then tested once."""

import math
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import numpy as np

from ltvl_mm.evaluation.functional import (
    compute_class_accuracies,
    summarize_accuracies,
)
from ltvl_mm.utils.io import write_json


def search_taus(
    predict: Callable[[float], np.ndarray],
    taus: Sequence[float],
    labels: np.ndarray,
    group_of_class: np.ndarray,
) -> list[dict]:
    """Return a row per tau: ``tau``, and the accuracies on val in percent.

    Args:
        predict: Tau -> (N,) predicted classes of the val images.
        taus: Finite values to try.
        labels: (N,) true classes.
        group_of_class: (K,) names, by training counts.

    Raises:
        ValueError: If a tau is not finite.
    """
    check_taus(taus)
    return [
        {
            'tau': tau,
            **summarize_accuracies(predict(tau), labels, group_of_class),
        }
        for tau in taus
    ]


def check_taus(taus: Sequence[float]) -> None:
    """Raise ValueError unless all values of tau are finite."""
    for tau in taus:
        if not math.isfinite(tau):
            raise ValueError(f'taus (--taus) must be finite, got {tau}')


# What a setting is chosen by: the accuracy of all images, the mean over
# classes, or that of few-shot classes.
CRITERIA = ('all', 'class_mean', 'few')


def choose_setting(rows: Sequence[Mapping], by: str = 'all') -> Mapping:
    """Return the row of the highest accuracy.

    Of equals, that with the higher few-shot accuracy, then the one with the
    higher accuracy of all images, then the first.

    Args:
        rows: Settings with their accuracies, one or more.
        by: One of CRITERIA.

    Raises:
        ValueError: If the rows lack that accuracy.
    """
    if by not in rows[0]:
        known = [name for name in CRITERIA if name in rows[0]]
        raise ValueError(
            f'settings cannot be chosen by {by!r}: val has the accuracies '
            f'{", ".join(known)}; there may be no few-shot class'
        )
    return max(
        rows, key=lambda row: (row[by], row.get('few', 0.0), row['all'])
    )


def score_methods(
    preds: Mapping[str, np.ndarray],
    labels: np.ndarray,
    group_of_class: np.ndarray,
) -> list[dict]:
    """Return a row for a table per method: accuracies in percent.

    Args:
        preds: Method -> (N,) predicted classes.
        labels: (N,) true classes.
        group_of_class: (K,) names, by training counts.

    Returns:
        ``method``, the accuracies of :func:`summarize_accuracies`, and
        ``per_class``, None for a class without test images.
    """
    rows = []
    for name, pred in preds.items():
        each = compute_class_accuracies(pred, labels, len(group_of_class))
        rows.append(
            {
                'method': name,
                **summarize_accuracies(pred, labels, group_of_class),
                'per_class': [
                    None if np.isnan(one) else float(one) for one in each
                ],
            }
        )
    return rows


def write_metrics(path: str | Path, row: Mapping) -> None:
    """Write a row of :func:`score_methods` as ``tools/test.py`` does its own.

    For tables and plots.
    """
    metrics = {
        f'shot/{name}': value
        for name, value in row.items()
        if name not in ('method', 'per_class')
    }
    write_json(path, metrics)

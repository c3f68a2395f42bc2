"""Classifiers made of a trained model's features, without training."""

from collections.abc import Sequence

import numpy as np

from ltvl_mm.evaluation.post_hoc import (
    check_taus,
    choose_setting,
    search_taus,
)
from ltvl_mm.structures.features import Features

TAUS = tuple(round(0.1 * step, 1) for step in range(21))
ROWS_AT_A_TIME = 1024


def normalize_weights(weights: np.ndarray, tau: float) -> np.ndarray:
    """Return the (K, F) weights w_k / ||w_k||^tau; 0 is as trained.

    Source: Kang et al. 2020 (arXiv 1910.09217), section 4.1, Eq. 5.
    """
    norms = np.linalg.norm(weights, axis=1, keepdims=True)
    return weights / np.maximum(norms, np.finfo(weights.dtype).tiny) ** tau


def predict_tau_normalized(
    features: Features, weights: np.ndarray, tau: float
) -> np.ndarray:
    """Return the (N,) classes that a tau-normalized classifier predicts.

    Args:
        features: N images, with (N, F) features.
        weights: (K, F) weights of the classifier; its bias is not used.
        tau: Exponent of the norms; 0 changes nothing, 1 normalizes.

    Raises:
        ValueError: If features and weights differ in width.
    """
    _check_width(features, weights)
    return (features.features @ normalize_weights(weights, tau).T).argmax(1)


def choose_tau(
    weights: np.ndarray,
    taus: Sequence[float],
    train: Features,
    val: Features | None,
    group_of_class: np.ndarray,
) -> dict:
    """Choose tau by the accuracy of val, or without val by the loss of train.

    Args:
        weights: (K, F) weights of the classifier.
        taus: Values of tau to try.
        train: Features of the training images.
        val: Features of the validation images, or None.
        group_of_class: (K,) names of the groups by training counts.

    Returns:
        ``chosen``, the row of the chosen tau; ``chosen_by``, a description
        of the criterion; and all rows, as ``val`` or as ``train``.

    Raises:
        ValueError: If features and weights differ in width.
    """
    if val is None:
        rows = search_taus_by_loss(train, weights, taus)
        return {
            'chosen': min(rows, key=lambda row: row['loss']),
            'chosen_by': 'class-balanced log-loss of train',
            'train': rows,
        }
    rows = search_taus(
        lambda tau: predict_tau_normalized(val, weights, tau),
        taus,
        val.labels,
        group_of_class,
    )
    return {
        'chosen': choose_setting(rows),
        'chosen_by': 'accuracy of val',
        'val': rows,
    }


def search_taus_by_loss(
    train: Features, weights: np.ndarray, taus: Sequence[float]
) -> list[dict]:
    """Return a row per tau: ``tau``, and ``loss`` on the training images.

    For data sets without val; Kang et al. 2020 (arXiv 1910.09217), appendix
    B.5, choose tau on the training images, too. Accuracy may saturate there,
    so the loss decides, which is ours: the mean over classes of their mean
    cross-entropy. The median class keeps its length, so that tau changes the
    classes relative to each other and not the confidence of all of them.

    Args:
        train: Features of the training images; a class may be absent.
        weights: (K, F) weights of the classifier.
        taus: Finite values of tau to try.

    Raises:
        ValueError: If features and weights differ in width, or a tau is not
            finite.
    """
    _check_width(train, weights)
    check_taus(taus)
    lengths = np.linalg.norm(weights, axis=1)
    lengths[lengths == 0] = np.median(lengths)  # of no vector, no direction
    ratios = np.median(lengths) / lengths
    counts = np.bincount(train.labels, minlength=len(weights))
    sums = np.zeros((len(taus), len(weights)))
    for start in range(0, len(train.labels), ROWS_AT_A_TIME):
        rows = slice(start, start + ROWS_AT_A_TIME)
        labels = train.labels[rows]
        logits = train.features[rows] @ weights.T
        for tau, total in zip(taus, sums, strict=True):
            losses = _cross_entropy(logits * ratios**tau, labels)
            total += np.bincount(labels, losses, minlength=len(weights))
    means = sums[:, counts > 0] / counts[counts > 0]
    return [
        {'tau': tau, 'loss': float(loss)}
        for tau, loss in zip(taus, means.mean(1), strict=True)
    ]


def predict_nearest_mean(train: Features, features: Features) -> np.ndarray:
    """Return the (N,) classes whose mean training feature is nearest.

    Features are centered by the training mean and L2-normalized, distances
    Euclidean: NCM with CL2N of Kang et al. 2020's code. A class without
    training images is never predicted.
    """
    center = train.features.mean(0)
    points = _normalize(train.features - center)
    classes = np.unique(train.labels)
    means = np.stack([points[train.labels == one].mean(0) for one in classes])
    queries = _normalize(features.features - center)
    distances = (means**2).sum(1) - 2 * queries @ means.T
    return classes[distances.argmin(1)]


def _check_width(features: Features, weights: np.ndarray) -> None:
    if weights.shape[1] != features.features.shape[1]:
        raise ValueError(
            f'the classifier takes {weights.shape[1]} numbers, but features '
            f'have {features.features.shape[1]}'
        )


def _cross_entropy(logits: np.ndarray, labels: np.ndarray) -> np.ndarray:
    """Return the (N,) losses of (N, K) logits."""
    logits = logits - logits.max(1, keepdims=True)
    right = logits[np.arange(len(labels)), labels]
    return np.log(np.exp(logits).sum(1)) - right


def _normalize(points: np.ndarray) -> np.ndarray:
    norms = np.linalg.norm(points, axis=1, keepdims=True)
    return points / np.maximum(norms, np.finfo(points.dtype).tiny)

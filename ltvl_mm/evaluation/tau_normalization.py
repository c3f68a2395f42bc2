"""Classifiers made of a trained model's features, without training."""

import numpy as np

from ltvl_mm.structures.features import Features

TAUS = tuple(round(0.1 * step, 1) for step in range(21))


def normalize_weights(weights: np.ndarray, tau: float) -> np.ndarray:
    """Return the (K, F) weights w_k / ||w_k||^tau; 0 is as trained.

    Source: Kang et al. 2020 (arXiv 1910.09217), section 4.1, Eq. 5.
    """
    norms = np.linalg.norm(weights, axis=1, keepdims=True)
    return weights / np.maximum(norms, np.finfo(weights.dtype).tiny) ** tau


def predict_tau_normalized(
    features: Features, weights: np.ndarray, tau: float
) -> np.ndarray:
    """Return the (N,) classes; the classifier's bias is left out, as there.

    Raises:
        ValueError: If features and weights differ in width.
    """
    if weights.shape[1] != features.features.shape[1]:
        raise ValueError(
            f'the classifier takes {weights.shape[1]} numbers, but features '
            f'have {features.features.shape[1]}'
        )
    return (features.features @ normalize_weights(weights, tau).T).argmax(1)


def predict_nearest_mean(train: Features, features: Features) -> np.ndarray:
    """Return the (N,) classes whose mean training feature is nearest.

    Features are centred by the training mean and L2-normalised, distances
    Euclidean: NCM with CL2N of Kang et al. 2020's code. A class without
    training images is never predicted.
    """
    centre = train.features.mean(0)
    points = _normalize(train.features - centre)
    classes = np.unique(train.labels)
    means = np.stack([points[train.labels == one].mean(0) for one in classes])
    queries = _normalize(features.features - centre)
    distances = (means**2).sum(1) - 2 * queries @ means.T
    return classes[distances.argmin(1)]


def _normalize(points: np.ndarray) -> np.ndarray:
    norms = np.linalg.norm(points, axis=1, keepdims=True)
    return points / np.maximum(norms, np.finfo(points.dtype).tiny)

"""Features in the plane."""

import numpy as np

from ltvl_mm.structures.features import Features
from ltvl_mm.utils.rng import make_generator

METHODS = ('tsne', 'umap')


def sample_rows(
    labels: np.ndarray, limit: int, *, seed: int = 0
) -> np.ndarray:
    """Return at most ``limit`` rows, the same number of each class.

    Classes that have fewer give what they have; which rows of a class is
    drawn. Sorted.
    """
    rng = make_generator(seed)
    order = rng.permutation(len(labels))
    turn = np.empty(len(labels), np.int64)  # place of a row in its class
    for label in np.unique(labels):
        inside = order[labels[order] == label]
        turn[inside] = np.arange(len(inside))
    return np.sort(order[np.argsort(turn[order], kind='stable')][:limit])


def project_features(
    features: Features, *, method: str = 'tsne', seed: int = 0
) -> np.ndarray:
    """Return (N, 2) places in the plane, neighbors beside each other.

    Features are L2-normalized first, as classifiers of directions see them.
    t-SNE by scikit-learn, van der Maaten and Hinton 2008; UMAP by umap-learn,
    McInnes et al. 2018. Both are made to be looked at: distances between
    groups mean little.

    Args:
        features: Features of N >= 3 images.
        method: One of METHODS.
        seed: Seed of the start.

    Raises:
        ValueError: If the method is unknown, or there are too few images.
        ImportError: If the library is not installed; says how.
    """
    if method not in METHODS:
        raise ValueError(f'method must be one of {METHODS}, got {method!r}')
    count = len(features.labels)
    if count < 3:
        raise ValueError(f'a map needs at least 3 images, got {count}')
    points = features.features
    norms = np.linalg.norm(points, axis=1, keepdims=True)
    points = points / np.maximum(norms, np.finfo(points.dtype).tiny)
    if method == 'umap':
        try:
            from umap import UMAP
        except ImportError:
            raise ImportError(
                'method umap needs umap-learn: pip install umap-learn'
            ) from None
        neighbors = min(15, count - 1)
        return UMAP(n_neighbors=neighbors, random_state=seed).fit_transform(
            points
        )
    from sklearn.manifold import TSNE  # slow to import, and needed only here

    return TSNE(
        perplexity=min(30, (count - 1) / 3), init='pca', random_state=seed
    ).fit_transform(points)

"""Long-tailed training sets cut out of balanced ones."""

import math

import numpy as np

from ltvl_mm.structures.image_list import ImageList
from ltvl_mm.utils.rng import make_generator

SHAPES = ('exponential', 'pareto')


def exponential_profile(num_classes: int, ratio: float) -> np.ndarray:
    """Return (K,) float64 shares of the largest class, 1 to 1 / ratio.

    Source: n_k = n_max ratio^(-k / (K - 1)), k = 0 ... K - 1, of Cui et al.
    2019 and Cao et al. 2019 (LDAM). The papers call ``ratio`` the imbalance
    factor or imbalance ratio; LDAM's code takes 1 / ratio as ``imb_factor``.

    Args:
        num_classes: Number of classes K, >= 2.
        ratio: Size of the largest class over that of the smallest, >= 1.

    Raises:
        ValueError: If K < 2 or ratio < 1.
    """
    _check(num_classes, ratio)
    return ratio ** -(np.arange(num_classes) / (num_classes - 1))


def pareto_profile(
    num_classes: int, ratio: float, *, alpha: float = 6.0
) -> np.ndarray:
    """Return (K,) float64 shares of the largest class, 1 to 1 / ratio.

    The quantiles u^(-1/alpha) - 1 of a Pareto distribution that begins at 0,
    at u = (k + 1) / K, stretched onto [1 / ratio, 1]. Source: ImageNet-LT
    (Liu et al. 2019) names alpha = 6 and no more; the quantiles are ours. With
    K = 1000, 1280 to 5 images, they give 404/456/140 many-, medium- and
    few-shot classes and 121,449 images; ImageNet-LT has 385/479/136 and
    115,846.

    Args:
        num_classes: Number of classes K, >= 2.
        ratio: Size of the largest class over that of the smallest, >= 1.
        alpha: Shape parameter of the Pareto distribution, > 0; default 6.

    Raises:
        ValueError: If K < 2, ratio < 1 or alpha <= 0.
    """
    _check(num_classes, ratio)
    if not 0 < alpha < math.inf:
        raise ValueError(f'alpha must be a finite number > 0, got {alpha}')
    quantiles = (np.arange(1, num_classes + 1) / num_classes) ** (
        -1 / alpha
    ) - 1
    return 1 / ratio + (1 - 1 / ratio) * quantiles / quantiles[0]


def make_profile(
    shape: str, num_classes: int, ratio: float, *, alpha: float = 6.0
) -> np.ndarray:
    """Return the profile of a shape by its name.

    Args:
        shape: ``'exponential'`` or ``'pareto'``.
        num_classes: Number of classes K, >= 2.
        ratio: Size of the largest class over that of the smallest, >= 1.
        alpha: Shape parameter of ``'pareto'``, > 0; default 6.

    Raises:
        ValueError: If the shape is unknown, K < 2, ratio < 1 or alpha <= 0.
    """
    if shape == 'exponential':
        return exponential_profile(num_classes, ratio)
    if shape == 'pareto':
        return pareto_profile(num_classes, ratio, alpha=alpha)
    raise ValueError(f'shape must be one of {SHAPES}, got {shape!r}')


def count_profile(profile: np.ndarray, most: int) -> np.ndarray:
    """Return the (K,) int64 images per class, ``most`` times the profile.

    Numbers are rounded down as in Cao et al. 2019, but never below 1.

    Args:
        profile: (K,) shares of the largest class, in (0, 1].
        most: Images of the largest class, >= 1.

    Raises:
        ValueError: If most < 1.
    """
    if most < 1:
        raise ValueError(f'the largest class needs >= 1 image, got {most}')
    # 500 * 0.01 is 5 and not 4.999...
    return np.maximum(np.floor(profile * most + 1e-9), 1).astype(np.int64)


def fit_profile(profile: np.ndarray, available: np.ndarray) -> int:
    """Return the most images of the largest class that all classes allow.

    Args:
        profile: (K,) shares of the largest class.
        available: (K,) available images of each class.
    """
    # Rounded down, a share asks for more than n images from n + 1 on.
    return int(np.ceil(((available + 1 - 1e-9) / profile).min())) - 1


def draw_split(
    images: ImageList, counts: np.ndarray, *path: int
) -> tuple[ImageList, ImageList]:
    """Return ``counts[k]`` images of each class k, drawn, and the others.

    The draw depends on names, not on their order in the list; both parts
    are in order of label and name.

    Args:
        images: Labeled images to draw from.
        counts: (K,) numbers of images to draw from each class.
        path: Seeds, see :func:`~ltvl_mm.utils.rng.make_generator`.

    Raises:
        ValueError: If a class has fewer images; names the class.
    """
    drawn: list[tuple[str, int]] = []
    others: list[tuple[str, int]] = []
    for label, count in enumerate(counts.tolist()):
        members = sorted(
            images.paths[row] for row in np.flatnonzero(images.labels == label)
        )
        if count > len(members):
            raise ValueError(
                f'class {label} has {len(members)} images, {count} are needed'
            )
        order = make_generator(*path, label).permutation(len(members))
        chosen = set(order[:count].tolist())
        for row, name in enumerate(members):
            (drawn if row in chosen else others).append((name, label))
    return _make_list(drawn), _make_list(others)


def _make_list(pairs: list[tuple[str, int]]) -> ImageList:
    paths = tuple(name for name, _ in pairs)
    return ImageList(paths, np.array([k for _, k in pairs], np.int64))


def _check(num_classes: int, ratio: float) -> None:
    if num_classes < 2:
        raise ValueError(f'a long tail needs >= 2 classes, got {num_classes}')
    if not 1 <= ratio < math.inf:
        raise ValueError(
            f'ratio, largest to smallest class, must be a finite number >= 1, '
            f'got {ratio}'
        )

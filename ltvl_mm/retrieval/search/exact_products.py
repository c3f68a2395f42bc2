"""Cosines without any rounding, so that their order cannot matter."""

import numpy as np

# Half-precision images are whole multiples of 2^-24.
_IMAGE_GRID = 2.0**24
_REST_GRID = 2.0**44


def multiply_exactly(images: np.ndarray, queries: np.ndarray) -> np.ndarray:
    """Return the (B, K) float64 cosines of images and queries.

    The same bits on any machine, in any chunk, by any library: float16
    entries are multiples of 2^-24, so all products and all partial sums are
    multiples of 2^-52; by Cauchy-Schwarz these sums stay below 2 for vectors
    of unit norm, and float64 holds every multiple of 2^-52 below 2. Nothing
    is ever rounded. Other images are split into a multiple of 2^-24, and a
    rest rounded to 2^-44, whose products are exact likewise; the two sums
    are added in one rounding.

    Args:
        images: (B, D) float16 or float32 of unit norm.
        queries: (K, D) float64 multiples of 2^-28 of unit norm, as
            :class:`ltvl_mm.structures.class_queries.ClassQueries` has them.
    """
    if images.dtype == np.float16:
        return images.astype(np.float64) @ queries.T
    wide = images.astype(np.float64)
    coarse = np.rint(wide * _IMAGE_GRID) / _IMAGE_GRID
    rest = np.rint((wide - coarse) * _REST_GRID) / _REST_GRID
    return coarse @ queries.T + rest @ queries.T

"""Find embeddings that are not of unit norm."""

import numpy as np
import torch

# Rows whose float32 copy stays in a core's cache.
_ROWS_IN_CACHE = 1024


def find_uneven_row(matrix: np.ndarray) -> tuple[int, float] | None:
    """Return the first row whose norm is not 1 within 1e-3, and the norm.

    Args:
        matrix: (B, D); NaN and infinity count as uneven.
    """
    # torch, since numpy casts float16 seven times more slowly.
    buffer = torch.empty(min(_ROWS_IN_CACHE, len(matrix)), matrix.shape[1])
    for first in range(0, len(matrix), _ROWS_IN_CACHE):
        block = torch.from_numpy(matrix[first : first + _ROWS_IN_CACHE])
        block = buffer[: len(block)].copy_(block)
        norms = torch.linalg.vector_norm(block, dim=1).numpy()
        wrong = find_uneven_norms(norms)
        if len(wrong):
            return first + int(wrong[0]), float(norms[wrong[0]])
    return None


def find_uneven_norms(norms: np.ndarray) -> np.ndarray:
    """Return the places of (M,) norms that are not 1 within 1e-3."""
    # NaN fails every comparison, so that this finds it, too.
    return np.flatnonzero(~(np.abs(norms - 1) <= 1e-3))

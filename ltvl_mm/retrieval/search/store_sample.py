"""Random sample of a store, from which a selection starts."""

import numpy as np
import torch

from ltvl_mm.retrieval.search.candidate_pool import CandidatePool
from ltvl_mm.retrieval.search.float32_prefilter import Float32Prefilter
from ltvl_mm.retrieval.search.scan import Scan, find_ranks, find_uneven
from ltvl_mm.retrieval.search.search_spec import SearchSpec
from ltvl_mm.utils.rng import make_generator

_SAMPLE_ROWS = 1 << 14
# Neighboring rows that are sampled together, because disks read runs faster.
_SAMPLE_RUN = 16


def read_sample(
    spec: SearchSpec,
) -> tuple[np.ndarray, torch.Tensor, float]:
    """Read a random sample of the rows that may be chosen.

    Returns:
        (M,) sorted rows; their (M, D) images; and the sampled share of all
        rows, filtered ones included.

    Raises:
        ValueError: If too many rows are not finite or not of unit norm.
    """
    store = spec.store
    rows = _sample_rows(len(store), _SAMPLE_ROWS)
    share = len(rows) / len(store)
    rows = rows[spec.find_kept(rows)]
    images = torch.from_numpy(store.read_rows(rows))
    uneven = find_uneven(images)
    spec.check_skipped(rows[uneven])
    kept = np.delete(np.arange(len(rows)), uneven)
    return rows[kept], images[torch.from_numpy(kept)], share


def find_floor(
    spec: SearchSpec,
    exact: Float32Prefilter,
    rows: np.ndarray,
    images: torch.Tensor,
    share: float,
) -> np.ndarray | None:
    """Estimate the score that the budget of each class reaches.

    Args:
        spec: Search whose classes and budget are used.
        exact: Prefilter of the search.
        rows: (M,) rows of the sample.
        images: (M, D) images of the sample.
        share: Sampled share of the store.

    Returns:
        (K,) scores, -inf without a budget; None if the store is not well
        mixed.
    """
    ranks = find_ranks(spec.budget, share)
    pool = spec.make_pool(ranks)
    scan_sample(spec, exact, pool, rows, images)
    # In a store that is sorted by what it shows the best of a class are
    # neighbors, and a sample says little.
    runs = np.unique([pool.labels, pool.rows // _SAMPLE_RUN], axis=1)
    if runs.shape[1] <= 0.8 * len(pool.rows):
        return None
    return np.where(spec.budget > 0, pool.find_scores(ranks), -np.inf)


def scan_sample(
    spec: SearchSpec,
    exact: Float32Prefilter,
    pool: CandidatePool,
    rows: np.ndarray,
    images: torch.Tensor,
) -> None:
    """Add the candidates of a sample, (M,) rows, to a pool."""
    scan = Scan(spec, pool, exact)
    size = spec.count_rows()
    for first in range(0, len(rows), size):
        some = slice(first, first + size)
        scan.add_rows(rows[some], images[some])
    scan.end()


def _sample_rows(total: int, size: int) -> np.ndarray:
    """Return about ``size`` sorted rows, in short runs at random indices."""
    if size >= total:
        return np.arange(total)
    runs = total // _SAMPLE_RUN
    chosen = make_generator(0, total).choice(
        runs, max(1, min(runs, size // _SAMPLE_RUN)), replace=False
    )
    return (
        np.sort(chosen)[:, None] * _SAMPLE_RUN + np.arange(_SAMPLE_RUN)
    ).ravel()

"""Candidates from a faiss index, for stores too large to read whole.

A class's nearest images are not its images of highest p_k: an image near two
classes is near each, and probable for neither. So more are asked for, by
queries that point away from the other classes, and ranked exactly; and how
many of the right ones are found is measured on a sample.
"""

from pathlib import Path

import faiss
import numpy as np
from mmengine.logging import print_log

from ltvl_mm.retrieval.search.exact_ranking import Candidates
from ltvl_mm.retrieval.search.selection import Selection
from ltvl_mm.structures.embedding_store import EmbeddingStore
from ltvl_mm.structures.unit_norms import find_uneven_norms
from ltvl_mm.utils.progress import progress_bar
from ltvl_mm.utils.rng import make_generator

_NEIGHBORS = 10
_PROBES = 64
# Queries searched at a time, between two steps of the progress bar.
_BATCH = 64


def make_contrastive_queries(embeddings: np.ndarray) -> np.ndarray:
    """Return (K, D) float32 index queries for images of high probability p_k.

    c_k = q_k - mean of the 10 nearest classes / 2 - mean of all / 2.

    Args:
        embeddings: (K, D) of unit norm, K >= 2.
    """
    count = min(_NEIGHBORS, len(embeddings) - 1)
    near = np.argsort(-embeddings @ embeddings.T, axis=1, kind='stable')
    near = near[:, 1 : count + 1]
    contrast = embeddings[near].mean(1) + embeddings.mean(0)
    return (embeddings - contrast / 2).astype(np.float32)


def load_index(path: str | Path, store: EmbeddingStore) -> faiss.Index:
    """Load an index whose number i is row i of ``store``.

    Raises:
        ValueError: If it is none, has another width or number of images,
            numbers them differently, or does not find images of the store at
            their own rows: autofaiss numbers the parts in the order of their
            names as text.
    """
    try:
        index = faiss.read_index(str(path), faiss.IO_FLAG_MMAP)
    except RuntimeError as error:
        raise ValueError(f'{path} is not a faiss index: {error}') from error
    if (index.ntotal, index.d) != (len(store), store.dim):
        raise ValueError(
            f'{path} holds {index.ntotal} images of width {index.d}, the '
            f'store {store.root} {len(store)} of width {store.dim}'
        )
    _check_numbers(path, index, store)
    rows = make_generator(0).integers(len(store), size=min(50, len(store)))
    images = store.read_rows(rows)
    norms = np.linalg.norm(images, axis=1)
    rows = np.delete(rows, find_uneven_norms(norms))
    images = np.delete(images, find_uneven_norms(norms), axis=0)
    _, found = index.search(images, 10)
    _check_found(found, index)
    # A copy may stand in for an image: nearest by content, not by number.
    near = store.read_rows(np.maximum(found, 0).ravel())
    near = near.reshape(*found.shape, -1)
    same = np.einsum('bd,bnd->bn', images, np.nan_to_num(near)).max(1) > 0.99
    if len(rows) and same.mean() < 0.5:
        raise ValueError(
            f'{path} finds {same.sum()} of {len(rows)} images of the store '
            f'{store.root} at their rows; it is of another store, or numbers '
            f'the parts in another order'
        )
    return index


def select_by_index(
    selection: Selection,
    index: faiss.Index,
    factor: int,
    *,
    parameters: str | None = None,
) -> list[Candidates]:
    """Return the best of each class among what an index proposes.

    Args:
        selection: Search to run.
        index: From :func:`load_index`.
        factor: Images proposed for each that is wanted; 10 to 50.
        parameters: Search parameters in faiss' notation: ``'nprobe=128'``,
            ``'efSearch=512'``, ``'nprobe=64,ht=40'``; None for 64 cells of an
            IVF, and as many steps of an HNSW as images are asked for.

    Raises:
        ValueError: If the factor is less than 1, or the index has no such
            parameters.
    """
    if factor < 1:
        raise ValueError(f'the index factor must be >= 1, got {factor}')
    _set_parameters(index, parameters, factor * int(selection.budget.max()))
    queries = make_contrastive_queries(selection.queries)
    labels = np.flatnonzero(selection.budget)
    # As many for all classes of a batch, so that like stand with like.
    labels = labels[np.argsort(selection.budget[labels], kind='stable')]
    pairs = []
    with progress_bar(
        total=len(labels), title='search the index', unit='class'
    ) as bar:
        for start in range(0, len(labels), _BATCH):
            some = labels[start : start + _BATCH]
            most = factor * int(selection.budget[some].max())
            _, rows = index.search(queries[some], min(most, index.ntotal))
            _check_found(rows, index)
            for label, found in zip(some, rows, strict=True):
                found = np.unique(found[found >= 0])  # -1: none
                pairs.append((found, np.full(len(found), label)))
            bar.update(len(some))
    rows, owners = (
        (np.concatenate(column) for column in zip(*pairs, strict=True))
        if pairs
        else (np.empty(0, np.int64), np.empty(0, np.int64))
    )
    _report_recall(selection, rows, owners)
    return selection.rank(rows, owners)


def _check_numbers(
    path: str | Path, index: faiss.Index, store: EmbeddingStore
) -> None:
    """Raise ValueError if an index's own numbers are not the store's rows."""
    inner = faiss.downcast_index(index)
    if not hasattr(inner, 'id_map'):
        return
    numbers = faiss.vector_to_array(inner.id_map)
    wrong = numbers[(numbers < 0) | (numbers >= len(store))]
    if len(wrong):
        raise ValueError(
            f'{path} numbers an image {wrong[0]}, where the numbers 0 to '
            f'{len(store) - 1} are expected: number i must be row i of the '
            f'store {store.name} ({len(wrong)} of {len(numbers)} numbers are '
            f'outside). Build the index without an IDMap, or with the rows '
            f'as numbers'
        )
    if len(np.unique(numbers)) < len(numbers):
        raise ValueError(
            f'{path} numbers several images alike: number i must be row i of '
            f'the store {store.name}. Build the index without an IDMap, or '
            f'with the rows as numbers'
        )


def _check_found(rows: np.ndarray, index: faiss.Index) -> None:
    """Raise ValueError if an index returns a number that is not a row."""
    if rows.size and rows.max() >= index.ntotal:
        raise ValueError(
            f'the index returns the image {rows.max()}, but holds '
            f'{index.ntotal} images, and number i must be row i of the store. '
            f'Build the index with the rows as numbers'
        )


def _set_parameters(
    index: faiss.Index, parameters: str | None, wanted: int
) -> None:
    if parameters is not None:
        try:
            faiss.ParameterSpace().set_index_parameters(index, parameters)
        except RuntimeError as error:
            raise ValueError(
                f'the index does not take {parameters!r}: {error}'
            ) from None
        return
    ivf = faiss.try_extract_index_ivf(index)  # it may stand behind an OPQ
    if ivf is not None:
        ivf.nprobe = max(ivf.nprobe, min(_PROBES, ivf.nlist))
    if hasattr(index, 'hnsw'):
        # With fewer it returns fewer.
        index.hnsw.efSearch = max(index.hnsw.efSearch, wanted)


def _report_recall(
    selection: Selection, rows: np.ndarray, labels: np.ndarray
) -> None:
    """Say how many of a sample's best images were proposed."""
    sample = selection.select_sample()
    proposed = set(zip(labels.tolist(), rows.tolist(), strict=True))
    right = [
        (label, row) in proposed
        for label, best in enumerate(sample)
        for row in best.rows.tolist()
    ]
    if right:
        print_log(
            f'the index proposes {np.mean(right):.1%} of the {len(right)} '
            f'best images of a sample; near to a class is not probable for '
            f'it, so only a search without an index finds them all',
            'current',
        )

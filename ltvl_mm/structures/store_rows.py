"""Metadata of rows of a store, and rows whose embedding cannot be used."""

from collections.abc import Sequence

import numpy as np
import pyarrow as pa

from ltvl_mm.structures.embedding_store import EmbeddingStore
from ltvl_mm.structures.store_parts import METADATA
from ltvl_mm.structures.unit_norms import find_uneven_norms

_ROWS_AT_A_TIME = 1 << 14


def gather_columns(
    store: EmbeddingStore, rows: np.ndarray, names: Sequence[str]
) -> pa.Table:
    """Return some columns of METADATA for rows in any order, in Arrow.

    A Python string takes 50 to 90 bytes more.

    Args:
        store: The store.
        rows: (M,) numbers of the rows.
        names: Names of the columns.
    """
    schema = pa.schema([METADATA.field(name) for name in names])
    pieces, order = [schema.empty_table()], np.empty(len(rows), np.int64)
    taken = 0
    for part, inside, local in store.split_rows(rows):
        table = store.read_columns(part, names).select(names)
        pieces.append(table.take(local).cast(schema))
        order[inside] = np.arange(taken, taken + len(inside))
        taken += len(inside)
    # Where the rows of each part lie together, take() copies them into place.
    return pa.concat_tables(pieces).combine_chunks().take(order)


def find_bad_rows(store: EmbeddingStore) -> np.ndarray:
    """Return the sorted rows that are not finite or not of unit norm.

    Reads all embeddings.
    """
    found = [np.empty(0, np.int64)]
    for first, chunk in store.iterate(_ROWS_AT_A_TIME, check=False):
        norms = np.linalg.norm(chunk.astype(np.float32), axis=1)
        found.append(first + find_uneven_norms(norms))
    return np.concatenate(found)


def check_bad_rows(
    store: EmbeddingStore, rows: np.ndarray, max_bad_rows: float
) -> None:
    """Raise ValueError if too many rows of a store cannot be used.

    Args:
        store: The store.
        rows: (S,) rows that are not finite or not of unit norm.
        max_bad_rows: Largest share of the store's rows, in [0, 1].
    """
    if len(rows) <= max_bad_rows * len(store):
        return
    norm = np.linalg.norm(store.read_rows(rows[:1]))
    raise ValueError(
        f'{store.describe_norm(int(rows[0]), float(norm))}. {len(rows)} or '
        f'more of the {len(store)} rows of {store.name} are like this, and at '
        f'most {100 * max_bad_rows:g} % are skipped (--max-bad-rows): the '
        f'embeddings must be finite and L2-normalized'
    )


def describe_bad_rows(store: EmbeddingStore, rows: np.ndarray) -> dict:
    """Return number and first keys of skipped rows, JSON-like."""
    first = np.sort(rows)[:100]
    keys = store.read_metadata(first, ('image_path',))['image_path']
    return {'store': store.name, 'rows': len(rows), 'first_keys': keys}

"""Embeddings of the images that a manifest lists."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from ltvl_mm.structures.class_queries import ClassQueries
from ltvl_mm.structures.embedding_store import EmbeddingStore
from ltvl_mm.structures.manifest import Manifest
from ltvl_mm.structures.store_join import join_stores
from ltvl_mm.structures.store_reader import open_store


def find_retrieved_rows(
    manifest: Manifest,
    stores: Sequence[str | Path | EmbeddingStore],
    queries: ClassQueries,
) -> tuple[EmbeddingStore, np.ndarray]:
    """Return the joint store of a retrieval, and the (M,) rows of its images.

    Args:
        manifest: M retrieved images.
        stores: Stores that were retrieved from, in the same order.
        queries: K classes that were retrieved for, in the manifest's order,
            of the stores' encoder.

    Raises:
        ValueError: If the queries have other classes than the manifest,
            images are not in the stores, or encoders differ.
    """
    # Names may repeat, so row k of the queries is class k of the manifest.
    manifest.check_class_names(queries.class_names, 'queries.npz')
    store = join_stores(
        [
            one if isinstance(one, EmbeddingStore) else open_store(one)
            for one in stores
        ]
    )
    queries.check_store(store)
    rows = store.find_rows(list(manifest.key))
    missing = np.flatnonzero(rows < 0)
    if len(missing):
        raise ValueError(
            f'{len(missing)} of the {len(manifest)} retrieved images are not '
            f'in {store.name}, such as {manifest.key[missing[0]]!r}; give the '
            f'stores that were retrieved from, in the same order'
        )
    return store, rows

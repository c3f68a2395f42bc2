"""Embeddings of the images that a manifest lists."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from ltvl_mm.structures.class_queries import ClassQueries
from ltvl_mm.structures.embedding_store import EmbeddingStore
from ltvl_mm.structures.manifest import Manifest
from ltvl_mm.structures.store_join import join_stores
from ltvl_mm.structures.store_reader import open_store

# Images whose cosines are compared with those of the manifest.
_COMPARED = 64
# Four times the relative rounding of float16, which stores have. The same
# images embedded on another machine stay below it; other images do not.
_COSINE_TOLERANCE = 2e-3


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
            images are not in the stores, encoders differ, or images of
            these keys have other cosines than the manifest records, as those
            of another collection.
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
            f'{len(missing)} of the {len(manifest)} retrieved images of '
            f'{manifest.name} are not in {store.name}, such as '
            f'{manifest.key[missing[0]]!r}; give the stores that were '
            f'retrieved from, in the same order'
        )
    _check_cosines(manifest, store, rows, queries)
    return store, rows


def _check_cosines(
    manifest: Manifest,
    store: EmbeddingStore,
    rows: np.ndarray,
    queries: ClassQueries,
) -> None:
    """Raise ValueError if a store has other images under the same keys.

    Numbers such as ``00000/000000186`` are keys in every collection, and the
    fingerprint of a store changes if shards are added.
    """
    if not len(rows):
        return
    some = np.unique(np.linspace(0, len(rows) - 1, _COMPARED).astype(int))
    texts = queries.embeddings[manifest.class_id[some]]  # (S, D)
    found = (store.read_rows(rows[some]) * texts).sum(1)
    recorded = manifest.cosine[some]
    # Not "greater": a cosine that is not a number differs, too.
    differs = ~(np.abs(found - recorded) <= _COSINE_TOLERANCE)
    if not differs.any():
        return
    first = int(np.flatnonzero(differs)[0])
    made_from = str(manifest.source.get('store', 'unknown'))[:12]
    raise ValueError(
        f'{manifest.name} was retrieved from another store: image '
        f'{manifest.key[int(some[first])]!r} has the cosine '
        f'{recorded[first]:.4f} to its class in the manifest and '
        f'{found[first]:.4f} in {store.name} ({differs.sum()} of {len(some)} '
        f'compared images differ). The manifest is of the store with '
        f'fingerprint {made_from}..., and {store.name} has '
        f'{store.fingerprint[:12]}...; give the stores that were retrieved '
        f'from, in the same order'
    )

"""Rule and traits by which near-duplicates are recognized."""

import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
import pyarrow as pa

from ltvl_mm.structures.embedding_store import EmbeddingStore
from ltvl_mm.structures.text_column import TextColumn
from ltvl_mm.structures.unit_norms import find_uneven_norms

# Rows whose texts are Python strings at a time.
_ROWS = 1 << 16
_MARK_BYTES = 16


@dataclass(frozen=True)
class Copy:
    """Original of a near-duplicate.

    Args:
        of: Key of the original image.
        cosine: Cosine of the two embeddings.
        evidence: ``'bytes'``, ``'url'`` or ``'looks'``.
    """

    of: str
    cosine: float
    evidence: str


class StoreEmbeddings:
    """Embeddings of some rows of a store, read when they are indexed.

    Args:
        store: Store of the rows.
        rows: (N,) numbers of the rows.
        drop_uneven: True to return zeros, which are like no image, for rows
            that are not finite and of unit norm.
    """

    def __init__(
        self, store: EmbeddingStore, rows: np.ndarray, *, drop_uneven: bool
    ) -> None:
        self.store = store
        self.rows = rows
        self.drop_uneven = drop_uneven
        self.shape = len(rows), store.dim

    def __getitem__(self, places: np.ndarray | slice) -> np.ndarray:
        """Return the (M, D) float32 embeddings at some places."""
        found = self.store.read_rows(self.rows[places])
        if self.drop_uneven:
            found[find_uneven_norms(np.linalg.norm(found, axis=1))] = 0
        return found


@dataclass(frozen=True)
class ImageTraits:
    """Traits by which copies are recognized, about 0.1 kB an image.

    Args:
        keys: N names.
        embeddings: (N, D) float32, L2-normalized.
        phash: (N,) uint64 perceptual hashes.
        recipes: (N,) marks of the recipes of the hashes, by
            :func:`make_marks`; b'' where an image has no hash, as in stores
            of other programs.
        sha256: (N,) marks of the digests of the files; b'' if unknown.
        urls: (N,) marks of the addresses; b'' if unknown.
    """

    keys: Sequence[str]
    embeddings: np.ndarray | StoreEmbeddings
    phash: np.ndarray
    recipes: np.ndarray
    sha256: np.ndarray
    urls: np.ndarray

    def pick(
        self, places: np.ndarray, embeddings: np.ndarray | StoreEmbeddings
    ) -> 'ImageTraits':
        """Return some images, with these embeddings."""
        return ImageTraits(
            [self.keys[place] for place in places],
            embeddings,
            self.phash[places],
            self.recipes[places],
            self.sha256[places],
            self.urls[places],
        )


def make_marks(texts: Iterable[str | None]) -> np.ndarray:
    """Return (N,) digests of 16 bytes that stand for texts; b'' for none.

    A text takes 60 to 200 bytes as a Python string. Of 10^9 different texts,
    two have the same mark with a probability of 10^-21.
    """
    return np.array(
        [
            hashlib.blake2b(
                text.encode('utf-8', 'surrogatepass'), digest_size=_MARK_BYTES
            ).digest()
            if text
            else b''
            for text in texts
        ],
        f'S{_MARK_BYTES}',
    )


def read_traits(
    store: EmbeddingStore, rows: np.ndarray, *, drop_uneven: bool = False
) -> ImageTraits:
    """Return the traits of some rows of a store; embeddings are read later.

    Args:
        store: Store of the rows.
        rows: (N,) numbers of the rows, best in ascending order.
        drop_uneven: True to return zeros for embeddings that are not finite
            and of unit norm.
    """
    names = ('image_path', 'phash', 'sha256', 'url')
    keys = [pa.array([], pa.large_string())]
    phash = np.zeros(len(rows), np.uint64)
    recipes, sha256, urls = np.zeros((3, len(rows)), f'S{_MARK_BYTES}')
    for first in range(0, len(rows), _ROWS):
        some = slice(first, min(first + _ROWS, len(rows)))
        metadata = store.read_metadata(rows[some], names)
        keys.append(pa.array(metadata['image_path'], pa.large_string()))
        phash[some] = [value or 0 for value in metadata['phash']]
        sha256[some] = make_marks(metadata['sha256'])
        urls[some] = make_marks(metadata['url'])
        spelt, which = np.unique(
            store.find_hash_recipes(rows[some]), return_inverse=True
        )
        hashed = [value is not None for value in metadata['phash']]
        marks = make_marks(spelt.tolist())
        recipes[some] = np.where(hashed, marks[which], b'')
    return ImageTraits(
        TextColumn(pa.chunked_array(keys)),
        StoreEmbeddings(store, rows, drop_uneven=drop_uneven),
        phash,
        recipes,
        sha256,
        urls,
    )

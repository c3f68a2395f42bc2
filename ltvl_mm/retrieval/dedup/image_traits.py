"""Rule and traits by which near-duplicates are recognized."""

from dataclasses import dataclass

import numpy as np

from ltvl_mm.structures.embedding_store import EmbeddingStore


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


@dataclass(frozen=True)
class ImageTraits:
    """Traits by which copies are recognized.

    Args:
        keys: N names.
        embeddings: (N, D) float32, L2-normalized.
        phash: (N,) uint64 perceptual hashes.
        recipes: (N,) names of the recipes of the hashes; '' where an image
            has none, as in stores of other programs.
        sha256: N digests of the files; None or '' if unknown.
        urls: N addresses; None or '' if unknown.
    """

    keys: list[str]
    embeddings: np.ndarray
    phash: np.ndarray
    recipes: np.ndarray
    sha256: list[str | None]
    urls: list[str | None]

    def pick(
        self, places: np.ndarray, embeddings: np.ndarray
    ) -> 'ImageTraits':
        """Return some images, with embeddings in memory."""
        return ImageTraits(
            [self.keys[place] for place in places],
            embeddings,
            self.phash[places],
            self.recipes[places],
            [self.sha256[place] for place in places],
            [self.urls[place] for place in places],
        )


def read_traits(
    store: EmbeddingStore, rows: np.ndarray, *, embeddings: bool = True
) -> ImageTraits:
    """Return the traits of some rows of a store, (M,) int.

    Args:
        store: Store of the rows.
        rows: Their numbers.
        embeddings: False leaves them out, with D = 0.
    """
    names = ('image_path', 'phash', 'sha256', 'url')
    metadata = store.read_metadata(rows, names)
    hashed = np.array([value is not None for value in metadata['phash']], bool)
    return ImageTraits(
        metadata['image_path'],
        store.read_rows(rows)
        if embeddings
        else np.empty((len(rows), 0), np.float32),
        np.array([value or 0 for value in metadata['phash']], np.uint64),
        np.where(hashed, store.find_hash_recipes(rows), ''),
        metadata['sha256'],
        metadata['url'],
    )

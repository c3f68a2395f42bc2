"""Rule and traits by which near-duplicates are recognized."""

from dataclasses import dataclass

import numpy as np

from ltvl_mm.structures.embedding_store import EmbeddingStore


@dataclass(frozen=True)
class CopyRule:
    """When two images count as copies of each other.

    The same bytes always do, and the same URL. Otherwise both must hold: CLIP
    alone takes two photos of one scene for copies, the hash alone two plain
    images. A store that others made may lack hashes; then the cosine decides
    alone, and has to be larger.

    Args:
        cosine: Least cosine of their embeddings, in (0, 1].
        phash_bits: Most different bits of their 64-bit perceptual hashes,
            in [0, 64]; 64 leaves the decision to the cosine.
        cosine_alone: Least cosine where a hash is missing, in (0, 1].
    """

    cosine: float = 0.96
    phash_bits: int = 6
    cosine_alone: float = 0.97

    def __post_init__(self) -> None:
        """Raise ValueError if a number is out of its range."""
        for name in ('cosine', 'cosine_alone'):
            value = getattr(self, name)
            if not 0 < value <= 1:
                raise ValueError(f'{name} must lie in (0, 1], got {value}')
        if not 0 <= self.phash_bits <= 64:
            raise ValueError(
                f'phash_bits must lie in [0, 64], got {self.phash_bits}'
            )

    @property
    def least_cosine(self) -> float:
        """The cosine below which no image is a copy by its looks."""
        if self.phash_bits == 64:
            return self.cosine
        return min(self.cosine, self.cosine_alone)


@dataclass(frozen=True)
class Copy:
    """What an image copies.

    Args:
        of: Key of the other image.
        cosine: Between the two.
        evidence: ``'bytes'``, ``'url'`` or ``'looks'``.
    """

    of: str
    cosine: float
    evidence: str


@dataclass(frozen=True)
class ImageTraits:
    """What copies are recognised by.

    Args:
        keys: N names.
        embeddings: (N, D) float32, L2-normalised.
        phash: (N,) uint64 perceptual hashes.
        hashed: (N,) bool: which images have one. Others' stores have none.
        sha256: N digests of the files; None or '' if unknown.
        urls: N addresses; None or '' if unknown.
    """

    keys: list[str]
    embeddings: np.ndarray
    phash: np.ndarray
    hashed: np.ndarray
    sha256: list[str | None]
    urls: list[str | None]

    def pick(
        self, places: np.ndarray, embeddings: np.ndarray
    ) -> 'ImageTraits':
        """Return some images, with embeddings that are at hand."""
        return ImageTraits(
            [self.keys[place] for place in places],
            embeddings,
            self.phash[places],
            self.hashed[places],
            [self.sha256[place] for place in places],
            [self.urls[place] for place in places],
        )


def read_traits(
    store: EmbeddingStore, rows: np.ndarray, *, embeddings: bool = True
) -> ImageTraits:
    """Return the traits of some rows of a store, (M,) int.

    Args:
        store: Where the rows are.
        rows: Their numbers.
        embeddings: False leaves them out, with D = 0.
    """
    names = ('image_path', 'phash', 'sha256', 'url')
    metadata = store.read_metadata(rows, names)
    return ImageTraits(
        metadata['image_path'],
        store.read_rows(rows)
        if embeddings
        else np.empty((len(rows), 0), np.float32),
        np.array([value or 0 for value in metadata['phash']], np.uint64),
        np.array([value is not None for value in metadata['phash']], bool),
        metadata['sha256'],
        metadata['url'],
    )

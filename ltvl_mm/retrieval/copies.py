"""Copies: near-duplicates of each other, and of test images."""

from dataclasses import dataclass

import faiss
import numpy as np

from ltvl_mm.structures.embedding_store import EmbeddingStore


@dataclass(frozen=True)
class CopyRule:
    """When two images count as copies of each other.

    The same bytes always do. Otherwise both must hold: CLIP alone takes two
    photos of one scene for copies, the hash alone two plain images.

    Args:
        cosine: Least cosine of their embeddings, in (0, 1].
        phash_bits: Most different bits of their 64-bit perceptual hashes,
            in [0, 64]; 64 leaves the decision to the cosine.
    """

    cosine: float = 0.96
    phash_bits: int = 6

    def __post_init__(self) -> None:
        """Raise ValueError if a number is out of its range."""
        if not 0 < self.cosine <= 1:
            raise ValueError(f'cosine must lie in (0, 1], got {self.cosine}')
        if not 0 <= self.phash_bits <= 64:
            raise ValueError(
                f'phash_bits must lie in [0, 64], got {self.phash_bits}'
            )


@dataclass(frozen=True)
class ImageTraits:
    """What copies are recognised by.

    Args:
        keys: N names.
        embeddings: (N, D) float32, L2-normalised.
        phash: (N,) uint64 perceptual hashes; objects if one is None.
        sha256: N digests of the files, or None. A store that others made
            has neither.
    """

    keys: list[str]
    embeddings: np.ndarray
    phash: np.ndarray
    sha256: list[str | None]


def read_traits(store: EmbeddingStore, rows: np.ndarray) -> ImageTraits:
    """Return the traits of some rows of a store, (M,) int."""
    metadata = store.read_metadata(rows, ('image_path', 'phash', 'sha256'))
    phash = metadata['phash']
    return ImageTraits(
        metadata['image_path'],
        store.read_rows(rows),
        np.array(phash, object if None in phash else np.uint64),
        metadata['sha256'],
    )


def find_copies(
    images: ImageTraits, others: ImageTraits, rule: CopyRule
) -> list[tuple[str, float] | None]:
    """Say for each image which of ``others`` it copies most closely.

    Returns:
        (key of the other, cosine) or None, for each of the N images.

    Raises:
        ValueError: If the rule asks for a hash that an image has not.
    """
    for traits in (images, others):
        _check_hashes(traits, rule)
    index = faiss.IndexFlatIP(others.embeddings.shape[1])
    index.add(others.embeddings)
    # Equal bytes have equal embeddings up to rounding, so that the search
    # finds them, too, whatever the rule.
    limits, cosines, places = index.range_search(
        images.embeddings, min(rule.cosine, 0.995) - 1e-4
    )
    found: list[tuple[str, float] | None] = []
    for row in range(len(images.keys)):
        inside = slice(limits[row], limits[row + 1])
        pairs = sorted(
            (-cosine, others.keys[place])
            for cosine, place in zip(
                cosines[inside].tolist(), places[inside].tolist(), strict=True
            )
            if _is_copy(images, row, others, place, cosine, rule)
        )
        found.append((pairs[0][1], -pairs[0][0]) if pairs else None)
    return found


def keep_originals(
    images: ImageTraits, rule: CopyRule
) -> list[tuple[str, float] | None]:
    """Say for each image, best first, which earlier kept one it copies.

    Greedy: an image is kept unless it copies one that was kept before.

    Raises:
        ValueError: If the rule asks for a hash that an image has not.
    """
    _check_hashes(images, rule)
    kept: list[int] = []
    found: list[tuple[str, float] | None] = []
    similar = images.embeddings @ images.embeddings.T  # (N, N)
    for row in range(len(images.keys)):
        twin = next(
            (
                earlier
                for earlier in kept
                if _is_copy(
                    images,
                    row,
                    images,
                    earlier,
                    float(similar[row, earlier]),
                    rule,
                )
            ),
            None,
        )
        if twin is None:
            kept.append(row)
        found.append(
            None
            if twin is None
            else (images.keys[twin], float(similar[row, twin]))
        )
    return found


def _is_copy(
    images: ImageTraits,
    row: int,
    others: ImageTraits,
    place: int,
    cosine: float,
    rule: CopyRule,
) -> bool:
    sha256 = images.sha256[row]
    if sha256 is not None and sha256 == others.sha256[place]:
        return True
    if rule.phash_bits == 64:
        return cosine >= rule.cosine
    bits = int(images.phash[row] ^ others.phash[place]).bit_count()
    return cosine >= rule.cosine and bits <= rule.phash_bits


def _check_hashes(images: ImageTraits, rule: CopyRule) -> None:
    if rule.phash_bits == 64 or images.phash.dtype != object:
        return
    key = images.keys[images.phash.tolist().index(None)]
    raise ValueError(
        f'{key!r} has no perceptual hash, which tools/embed_images.py '
        f'writes; for a store that others made, set phash_bits to 64, so '
        f'that the cosine alone decides what is a copy'
    )

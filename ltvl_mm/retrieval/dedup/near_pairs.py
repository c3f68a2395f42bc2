"""Pairs of images that look alike: similar hashes, and a high cosine."""

from collections.abc import Iterator

import faiss
import numpy as np

from ltvl_mm.retrieval.dedup.hash_pairs import (
    MAX_BITS,
    count_bits,
    find_hash_pairs,
)
from ltvl_mm.retrieval.dedup.image_traits import ImageTraits
from ltvl_mm.retrieval.options import CopyRule

# Upper bound of the error of a cosine that is a product of float32.
MARGIN = 1e-4
# Images that are compared at a time, and pairs.
_IMAGES = 1024
_PAIRS = 1 << 14


def find_near_pairs(
    images: ImageTraits,
    rows: np.ndarray,
    others: ImageTraits,
    rule: CopyRule,
) -> Iterator[tuple[np.ndarray, np.ndarray, np.ndarray]]:
    """Yield rows, places in ``others`` and cosines of all near copies.

    Where two images have hashes of one recipe, embeddings are read only if
    the hashes are similar; else each is compared with each.
    """
    for ours, places in _list_possible_pairs(images, rows, others, rule):
        kept, cosines = judge_pairs(images, ours, others, places, rule)
        if len(kept):
            yield ours[kept], places[kept], cosines


def _list_possible_pairs(
    images: ImageTraits,
    rows: np.ndarray,
    others: ImageTraits,
    rule: CopyRule,
) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """Yield pairs of rows and places that hold all near copies."""
    everywhere = np.arange(len(others.keys))
    if rule.phash_bits > MAX_BITS:  # hashes rule out few pairs
        yield from _list_close_pairs(
            images, rows, others, everywhere, rule.least_cosine
        )
        return
    for recipe in np.unique(images.recipes[rows]):
        mine = rows[images.recipes[rows] == recipe]
        same = (others.recipes == recipe) & (recipe != b'')
        theirs = np.flatnonzero(same)
        for left, right in find_hash_pairs(
            images.phash[mine], others.phash[theirs], rule.phash_bits
        ):
            yield mine[left], theirs[right]
        # Hashes of two recipes are not comparable; those pairs have none.
        yield from _list_close_pairs(
            images, mine, others, np.flatnonzero(~same), rule.cosine_alone
        )


def _list_close_pairs(
    images: ImageTraits,
    rows: np.ndarray,
    others: ImageTraits,
    places: np.ndarray,
    least: float,
) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """Compare each with each; yield pairs of at least a cosine, or nearly."""
    if not len(rows) or not len(places):
        return
    index = faiss.IndexFlatIP(others.embeddings.shape[1])
    index.add(others.embeddings[places])
    for first in range(0, len(rows), _IMAGES):
        some = rows[first : first + _IMAGES]
        limits, _, close = index.range_search(
            images.embeddings[some], least - MARGIN
        )
        counts = np.diff(limits.astype(np.int64))
        yield np.repeat(some, counts), places[close]


def judge_pairs(
    images: ImageTraits,
    rows: np.ndarray,
    others: ImageTraits,
    places: np.ndarray,
    rule: CopyRule,
) -> tuple[np.ndarray, np.ndarray]:
    """Return which of M pairs look like copies, and the cosines of these."""
    least = np.full(len(rows), rule.cosine)
    keep = np.arange(len(rows))
    if rule.phash_bits < 64:
        # Hashes of two recipes are not comparable; those pairs have none.
        recipes = images.recipes[rows]
        hashed = (recipes == others.recipes[places]) & (recipes != b'')
        least[~hashed] = rule.cosine_alone
        bits = count_bits(images.phash[rows] ^ others.phash[places])
        keep = np.flatnonzero(~hashed | (bits <= rule.phash_bits))
    cosines = compute_cosines(images, rows[keep], others, places[keep])
    copied = cosines >= least[keep]
    return keep[copied], cosines[copied]


def compute_cosines(
    images: ImageTraits,
    rows: np.ndarray,
    others: ImageTraits,
    places: np.ndarray,
) -> np.ndarray:
    """Return those of M pairs, the same bits in any company."""
    cosines = np.empty(len(rows))
    for first in range(0, len(rows), _PAIRS):
        some = slice(first, first + _PAIRS)
        cosines[some] = np.einsum(
            'ij,ij->i',
            images.embeddings[rows[some]].astype(np.float64),
            others.embeddings[places[some]].astype(np.float64),
        )
    return cosines

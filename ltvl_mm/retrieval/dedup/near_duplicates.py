"""Copies: near-duplicates of each other, and of test images."""

from collections.abc import Sequence

import faiss
import numpy as np

from ltvl_mm.retrieval.dedup.image_traits import (
    Copy,
    ImageTraits,
    read_traits,
)
from ltvl_mm.retrieval.options import CopyRule
from ltvl_mm.structures.embedding_store import EmbeddingStore
from ltvl_mm.structures.unit_norms import find_uneven_norms
from ltvl_mm.utils.progress import progress_bar

# Images that are compared at a time, and pairs.
_IMAGES = 1024
_KEPT = 256
_PAIRS = 1 << 14
# Rows of a store that are held at a time.
_ROWS = 1 << 16
# A product of float32 misses the cosine by less.
_MARGIN = 1e-4
_BITS = np.array([value.bit_count() for value in range(256)], np.uint8)


def find_leaks(
    store: EmbeddingStore,
    rows: np.ndarray,
    traits: ImageTraits,
    excluded: Sequence[EmbeddingStore],
    rule: CopyRule,
) -> list[Copy | None]:
    """Say for each row which image of ``excluded`` it copies, if any.

    Holds one block of images of either side at a time.

    Args:
        store: Store of the rows.
        rows: (M,) int.
        traits: Traits of the rows; no embeddings are needed.
        excluded: Stores of images to keep out.
        rule: Definition of a near-duplicate.
    """
    found: list[Copy | None] = [None] * len(rows)
    blocks = [
        (other, np.arange(start, min(start + _ROWS, len(other))))
        for other in excluded
        for start in range(0, len(other), _ROWS)
    ]
    with progress_bar(
        total=len(blocks) * len(rows),
        title='find copies of excluded images',
        unit='img',
    ) as bar:
        for other, block in blocks:
            others = read_traits(other, block)
            # A row that is not of unit norm is like no image; its bytes and
            # URL still count. check_stores has counted such rows.
            norms = np.linalg.norm(others.embeddings, axis=1)
            others.embeddings[find_uneven_norms(norms)] = 0
            for first in range(0, len(rows), _ROWS):
                places = np.arange(first, min(first + _ROWS, len(rows)))
                images = traits.pick(places, store.read_rows(rows[places]))
                for place, new in zip(
                    places, find_copies(images, others, rule), strict=True
                ):
                    found[place] = _choose(found[place], new)
                bar.update(len(places))
    return found


def find_copies(
    images: ImageTraits, others: ImageTraits, rule: CopyRule
) -> list[Copy | None]:
    """Say for each of N images which of ``others`` it copies, if any.

    The one with the same bytes, else with the same URL, else the closest.
    """
    found: list[Copy | None] = [None] * len(images.keys)
    pairs = _find_near_pairs(images, others, rule)
    turn = np.argsort(np.argsort(np.array(others.keys, object)))[pairs[1]]
    # The closest of each row comes last, and of equals the first key.
    for pair in np.lexsort([turn, -pairs[2], pairs[0]])[::-1]:
        row, place, cosine = (column[pair] for column in pairs)
        found[row] = Copy(others.keys[place], float(cosine), 'looks')
    for evidence, ours, theirs in (
        ('url', images.urls, others.urls),
        ('bytes', images.sha256, others.sha256),
    ):
        rows, places = _find_equal(ours, theirs, others.keys)
        cosines = _compute_cosines(images, rows, others, places)
        for row, place, cosine in zip(rows, places, cosines, strict=True):
            found[row] = Copy(others.keys[place], float(cosine), evidence)
    return found


def keep_originals(images: ImageTraits, rule: CopyRule) -> list[Copy | None]:
    """Say for each image, best first, which earlier kept one it copies.

    Greedy: an image is kept unless it copies one that was kept before, so
    that worse ones never change what becomes of better ones.
    """
    found: list[Copy | None] = []
    kept = np.empty(0, np.int64)
    known: dict[tuple[str, str], int] = {}
    for first in range(0, len(images.keys), _KEPT):
        block = np.arange(first, min(first + _KEPT, len(images.keys)))
        before = np.concatenate([kept, block])
        near = _compare(images, block, before, rule)
        is_kept = np.arange(len(before)) < len(kept)
        for row, place in enumerate(range(len(kept), len(before))):
            marks = _list_marks(images, block[row])
            looks = before[np.flatnonzero(near[row] & is_kept)[:1]]
            # The earliest, and of its reasons the hardest.
            twins = [
                *(known[mark] for mark in marks if mark in known),
                *looks.tolist(),
            ]
            if twins:
                found.append(_name_twin(images, block[row], min(twins)))
                continue
            found.append(None)
            is_kept[place] = True
            known |= dict.fromkeys(marks, int(block[row]))
        kept = before[is_kept]
    return found


def _list_marks(images: ImageTraits, row: int) -> list[tuple[str, str]]:
    marks = [('bytes', images.sha256[row]), ('url', images.urls[row])]
    return [(kind, value) for kind, value in marks if value]


def _name_twin(images: ImageTraits, row: int, twin: int) -> Copy:
    shared = [
        kind
        for kind, value in _list_marks(images, row)
        if (kind, value) in _list_marks(images, twin)
    ]
    pair = np.array([row]), images, np.array([twin])
    return Copy(
        images.keys[twin],
        float(_compute_cosines(images, *pair)[0]),
        shared[0] if shared else 'looks',
    )


def _choose(one: Copy | None, other: Copy | None) -> Copy | None:
    """Return the harder evidence, else the closer image, else the key."""
    return min(
        (copy for copy in (one, other) if copy),
        key=lambda c: (
            ('bytes', 'url', 'looks').index(c.evidence),
            -c.cosine,
            c.of,
        ),
        default=None,
    )


def _find_near_pairs(
    images: ImageTraits, others: ImageTraits, rule: CopyRule
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return rows, places in ``others`` and cosines of all near copies."""
    index = faiss.IndexFlatIP(others.embeddings.shape[1])
    index.add(others.embeddings)
    parts = [(np.empty(0, np.int64), np.empty(0, np.int64), np.empty(0))]
    for first in range(0, len(images.keys), _IMAGES):
        limits, _, places = index.range_search(
            images.embeddings[first : first + _IMAGES],
            rule.least_cosine - _MARGIN,
        )
        counts = np.diff(limits.astype(np.int64))
        rows = first + np.repeat(np.arange(len(counts)), counts)
        kept, cosines = _judge(images, rows, others, places, rule)
        parts.append((rows[kept], places[kept], cosines))
    return tuple(np.concatenate(column) for column in zip(*parts, strict=True))


def _compare(
    images: ImageTraits, rows: np.ndarray, places: np.ndarray, rule: CopyRule
) -> np.ndarray:
    """Return (M, P) bool: which of M rows look like which of P others."""
    x = images.embeddings
    near = x[rows] @ x[places].T >= rule.least_cosine - _MARGIN
    left, right = np.nonzero(near)
    kept, _ = _judge(images, rows[left], images, places[right], rule)
    copied = np.zeros(near.shape, bool)
    copied[left[kept], right[kept]] = True
    return copied


def _judge(
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
        hashed = (recipes == others.recipes[places]) & (recipes != '')
        least[~hashed] = rule.cosine_alone
        bits = _count_bits(images.phash[rows] ^ others.phash[places])
        keep = np.flatnonzero(~hashed | (bits <= rule.phash_bits))
    cosines = _compute_cosines(images, rows[keep], others, places[keep])
    copied = cosines >= least[keep]
    return keep[copied], cosines[copied]


def _compute_cosines(
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


def _count_bits(numbers: np.ndarray) -> np.ndarray:
    """Return how many bits are set in each of (M,) uint64."""
    return _BITS[numbers.view(np.uint8).reshape(-1, 8)].sum(1)


def _find_equal(
    ours: list[str | None], theirs: list[str | None], keys: list[str]
) -> tuple[np.ndarray, np.ndarray]:
    """Return rows of ``ours`` and their equals in ``theirs``.

    Of several equals that with the first key; what is unknown has none.
    """
    places: dict[str, int] = {}
    for place, value in enumerate(theirs):
        if value and (
            value not in places or keys[place] < keys[places[value]]
        ):
            places[value] = place
    pairs = [
        (row, places[value])
        for row, value in enumerate(ours)
        if value is not None and value in places
    ]
    rows, equals = np.array(pairs, np.int64).reshape(-1, 2).T
    return rows, equals

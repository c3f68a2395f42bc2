"""Copies: near-duplicates of each other, and of test images."""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from ltvl_mm.retrieval.dedup.hash_pairs import count_bits
from ltvl_mm.retrieval.dedup.image_traits import (
    Copy,
    ImageTraits,
    read_traits,
)
from ltvl_mm.retrieval.dedup.near_pairs import (
    MARGIN,
    compute_cosines,
    find_near_pairs,
    judge_pairs,
)
from ltvl_mm.retrieval.options import CopyRule
from ltvl_mm.structures.embedding_store import EmbeddingStore
from ltvl_mm.structures.text_column import TextColumn
from ltvl_mm.utils.progress import progress_bar

# Images that are compared at a time.
_KEPT = 256
# Rows of an excluded store that are held at a time.
_ROWS = 1 << 16
# Evidence, the hardest first.
_EVIDENCE = ('bytes', 'url', 'looks')


def find_leaks(
    traits: ImageTraits, excluded: Sequence[EmbeddingStore], rule: CopyRule
) -> list[Copy | None]:
    """Say for each image which image of ``excluded`` it copies, if any.

    Holds the traits of all images and of one block of excluded images. Where
    both have perceptual hashes, only the embeddings of pairs with similar
    hashes are read; else each is compared with each.

    Args:
        traits: N images.
        excluded: Stores of images to keep out.
        rule: Definition of a near-duplicate.
    """
    found: dict[int, Copy] = {}
    # A copy by bytes or URL needs no other evidence.
    is_open = np.ones(len(traits.keys), bool)
    with progress_bar(
        total=sum(map(len, excluded)),
        title='find copies of excluded images',
        unit='img',
    ) as bar:
        for other in excluded:
            for start in range(0, len(other), _ROWS):
                block = np.arange(start, min(start + _ROWS, len(other)))
                # A row that is not of unit norm is like no image; its bytes
                # and URL still count. check_stores has counted such rows.
                others = read_traits(other, block, drop_uneven=True)
                for row, new in _find_copies(
                    traits, others, rule, is_open
                ).items():
                    found[row] = _choose(found.get(row), new)
                    is_open[row] &= new.evidence == 'looks'
                bar.update(len(block))
    return [found.get(row) for row in range(len(traits.keys))]


def find_copies(
    images: ImageTraits, others: ImageTraits, rule: CopyRule
) -> list[Copy | None]:
    """Say for each of N images which of ``others`` it copies, if any.

    The one with the same bytes, else with the same URL, else the closest.
    """
    found = _find_copies(images, others, rule, np.ones(len(images.keys), bool))
    return [found.get(row) for row in range(len(images.keys))]


def _find_copies(
    images: ImageTraits,
    others: ImageTraits,
    rule: CopyRule,
    is_open: np.ndarray,
) -> dict[int, Copy]:
    """Return the copies among images, by their index.

    Args:
        images: N images.
        others: Images that may be their originals.
        rule: Definition of a near-duplicate.
        is_open: (N,) False for images whose perceptual matches do not matter.
    """
    found: dict[int, Copy] = {}
    # Places in ``others`` in the order of their keys.
    order = pc.sort_indices(TextColumn(others.keys).array).to_numpy()
    for evidence, ours, theirs in (
        ('bytes', images.sha256, others.sha256),
        ('url', images.urls, others.urls),
    ):
        rows, places = _find_equal(ours, theirs, order)
        cosines = compute_cosines(images, rows, others, places)
        for row, place, cosine in zip(
            rows.tolist(), places.tolist(), cosines.tolist(), strict=True
        ):
            found.setdefault(row, Copy(others.keys[place], cosine, evidence))
    is_open = is_open.copy()
    is_open[list(found)] = False
    rows, places, cosines = _find_closest(
        images, np.flatnonzero(is_open), others, order, rule
    )
    for row, place, cosine in zip(rows, places, cosines, strict=True):
        found[row] = Copy(others.keys[place], cosine, 'looks')
    return found


def _find_closest(
    images: ImageTraits,
    rows: np.ndarray,
    others: ImageTraits,
    order: np.ndarray,
    rule: CopyRule,
) -> tuple[list[int], list[int], list[float]]:
    """Return rows with near copies, the places of these, and the cosines.

    Of several the closest, and of equals the first in ``order``.
    """
    turn = np.empty(len(order), np.int64)
    turn[order] = np.arange(len(order))
    cosine = np.full(len(images.keys), -np.inf)
    place = np.full(len(images.keys), -1)
    # Only the best is kept: a flat image may be like all others.
    for left, right, close in find_near_pairs(images, rows, others, rule):
        best = np.lexsort([turn[right], -close, left])
        best = best[np.unique(left[best], return_index=True)[1]]
        left, right, close = left[best], right[best], close[best]
        better = (close > cosine[left]) | (
            (close == cosine[left]) & (turn[right] < turn[place[left]])
        )
        cosine[left[better]] = close[better]
        place[left[better]] = right[better]
    copied = np.flatnonzero(place >= 0)
    return copied.tolist(), place[copied].tolist(), cosine[copied].tolist()


def keep_originals(images: ImageTraits, rule: CopyRule) -> list[Copy | None]:
    """Say for each image, best first, which earlier kept one it copies.

    Greedy: an image is kept unless it copies one that was kept before, so
    that worse ones never change what becomes of better ones. If all have
    hashes, only the embeddings of pairs with similar hashes are read.
    """
    if not _have_hashes(images, rule):
        images = replace(images, embeddings=images.embeddings[:])
    found: list[Copy | None] = []
    kept = np.empty(0, np.int64)
    known: dict[tuple[str, bytes], int] = {}
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


def _list_marks(images: ImageTraits, row: int) -> list[tuple[str, bytes]]:
    marks = [('bytes', images.sha256[row]), ('url', images.urls[row])]
    return [(kind, bytes(value)) for kind, value in marks if value]


def _name_twin(images: ImageTraits, row: int, twin: int) -> Copy:
    shared = [
        kind
        for kind, value in _list_marks(images, row)
        if (kind, value) in _list_marks(images, twin)
    ]
    pair = np.array([row]), images, np.array([twin])
    return Copy(
        images.keys[twin],
        float(compute_cosines(images, *pair)[0]),
        shared[0] if shared else 'looks',
    )


def _choose(one: Copy | None, other: Copy) -> Copy:
    """Return the harder evidence, else the closer image, else the key."""
    return min(
        (copy for copy in (one, other) if copy),
        key=lambda c: (_EVIDENCE.index(c.evidence), -c.cosine, c.of),
    )


def _compare(
    images: ImageTraits, rows: np.ndarray, places: np.ndarray, rule: CopyRule
) -> np.ndarray:
    """Return (M, P) bool: which of M rows look like which of P places.

    The last M places are the rows; each is compared with what precedes it.
    """
    if _have_hashes(images, rule):
        differing = images.phash[rows, None] ^ images.phash[places]
        near = count_bits(differing.ravel()) <= rule.phash_bits
        near = near.reshape(differing.shape)
    else:
        x = images.embeddings
        near = x[rows] @ x[places].T >= rule.least_cosine - MARGIN
    before = len(places) - len(rows)
    near &= np.tri(len(rows), len(places), before - 1, dtype=bool)
    left, right = np.nonzero(near)
    kept, _ = judge_pairs(images, rows[left], images, places[right], rule)
    copied = np.zeros(near.shape, bool)
    copied[left[kept], right[kept]] = True
    return copied


def _find_equal(
    ours: np.ndarray, theirs: np.ndarray, order: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Return rows of ``ours`` and places of their equals in ``theirs``.

    Of several equals the first in ``order``; what is unknown has none.
    """
    rows = np.flatnonzero(ours != b'')
    known = order[theirs[order] != b'']
    turns = pc.index_in(
        _to_arrow(ours[rows]), value_set=_to_arrow(theirs[known])
    )
    turns = turns.fill_null(-1).to_numpy()
    return rows[turns >= 0], known[turns[turns >= 0]]


def _have_hashes(images: ImageTraits, rule: CopyRule) -> bool:
    """Return whether hashes of one recipe are compared for all pairs."""
    recipes = np.unique(images.recipes)
    return rule.phash_bits < 64 and len(recipes) == 1 and bool(recipes[0])


def _to_arrow(marks: np.ndarray) -> pa.Array:
    """Return marks as Arrow's; pa.array() would cut them at a zero byte."""
    return pa.FixedSizeBinaryArray.from_buffers(
        pa.binary(marks.itemsize),
        len(marks),
        [None, pa.py_buffer(np.ascontiguousarray(marks))],
    )

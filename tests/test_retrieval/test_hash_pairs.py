"""Perceptual hashes are joined by pieces, with the result of all pairs."""

from dataclasses import replace

import numpy as np
import pytest

from ltvl_mm.retrieval.dedup import hash_pairs, near_duplicates
from ltvl_mm.retrieval.dedup.hash_pairs import MAX_BITS, find_hash_pairs
from ltvl_mm.retrieval.dedup.image_traits import Copy, ImageTraits, make_marks
from ltvl_mm.retrieval.dedup.near_duplicates import find_copies, keep_originals
from ltvl_mm.retrieval.options import CopyRule


def _draw_hashes(seed, count):
    """Return hashes that differ from 4 centers in 0 to 24 bits."""
    rng = np.random.default_rng(seed)
    centers = np.random.default_rng(9).integers(
        1 << 63, size=4, dtype=np.uint64
    )
    found = []
    for _ in range(count):
        places = rng.choice(64, rng.integers(25), replace=False)
        mask = sum(1 << int(place) for place in places)
        found.append(int(rng.choice(centers)) ^ mask)
    return np.array(found, np.uint64)


def _count_bits(one, other):
    return (int(one) ^ int(other)).bit_count()


@pytest.mark.parametrize('bits', [0, 1, 2, 3, 4, 6, 7, 11, 12, MAX_BITS])
@pytest.mark.parametrize('compared', [7, 1 << 20])
def test_the_join_equals_comparing_each_with_each(bits, compared, monkeypatch):
    monkeypatch.setattr(hash_pairs, '_COMPARED', compared)
    ours, theirs = _draw_hashes(0, 60), _draw_hashes(1, 50)
    ours = ours[: 60 if compared > 7 or bits < 8 else 12]
    found = [
        pair
        for rows, places in find_hash_pairs(ours, theirs, bits)
        for pair in zip(rows.tolist(), places.tolist(), strict=True)
    ]
    due = [
        (row, place)
        for row, one in enumerate(ours)
        for place, other in enumerate(theirs)
        if _count_bits(one, other) <= bits
    ]
    assert sorted(found) == due  # each pair once
    if compared > 7 and bits > 3:
        assert due


@pytest.mark.parametrize('count', [(0, 5), (5, 0), (0, 0)])
def test_no_hashes_have_no_pairs(count):
    ours, theirs = (_draw_hashes(0, number) for number in count)
    assert list(find_hash_pairs(ours, theirs, 6)) == []


def test_bits_are_counted_without_numpy_2(monkeypatch):
    hashes = _draw_hashes(0, 20)
    due = [int(value).bit_count() for value in hashes]
    assert hash_pairs.count_bits(hashes).tolist() == due
    monkeypatch.delattr(np, 'bitwise_count', raising=False)
    assert hash_pairs.count_bits(hashes).tolist() == due


def _draw_images(seed, count, prefix):
    """Return images of three recipes, '' for none, in few directions."""
    rng = np.random.default_rng(seed)
    axes = np.random.default_rng(8).normal(size=(3, 8))
    x = axes[rng.integers(3, size=count)] + rng.normal(0, 0.5, size=(count, 8))
    x /= np.linalg.norm(x, axis=1, keepdims=True)
    recipes = rng.choice(['', 'old', 'new'], count).tolist()
    urls = rng.choice(['', *(f'http://{n}' for n in range(300))], count)
    digests = rng.choice(['', *(f'{n}' for n in range(300))], count)
    traits = ImageTraits(
        [f'{prefix}{row}' for row in range(count)],
        x.astype(np.float32),
        _draw_hashes(seed, count),
        make_marks(recipes),
        make_marks(digests.tolist()),
        make_marks(urls.tolist()),
    )
    return traits, recipes


def _find_slowly(images, others, rule):
    """Return (evidence, key) of the copy of each image, pair by pair."""
    (images, recipes), (others, other_recipes) = images, others
    found = []
    for row in range(len(images.keys)):
        pairs = []
        for place, key in enumerate(others.keys):
            cosine = float(
                images.embeddings[row].astype(float)
                @ others.embeddings[place].astype(float)
            )
            if rule.phash_bits == 64:
                near = cosine >= rule.cosine
            elif recipes[row] and recipes[row] == other_recipes[place]:
                bits = _count_bits(images.phash[row], others.phash[place])
                near = cosine >= rule.cosine and bits <= rule.phash_bits
            else:
                near = cosine >= rule.cosine_alone
            for rank, evidence in enumerate(('sha256', 'urls')):
                mark = getattr(images, evidence)[row]
                if mark and mark == getattr(others, evidence)[place]:
                    pairs.append((rank, 0, key))
            if near:
                pairs.append((2, -cosine, key))
        best = min(pairs, default=None)
        found.append(best and (('bytes', 'url', 'looks')[best[0]], best[2]))
    return found


@pytest.mark.parametrize('bits', [0, 6, 14, MAX_BITS, MAX_BITS + 1, 64])
def test_find_copies_equals_comparing_each_with_each(bits):
    images = _draw_images(0, 150, 'web/')
    others = _draw_images(1, 120, 'test/')
    rule = CopyRule(0.9, bits, cosine_alone=0.95)
    found = find_copies(images[0], others[0], rule)
    found = [copy and (copy.evidence, copy.of) for copy in found]
    assert found == _find_slowly(images, others, rule)
    evidence = [copy and copy[0] for copy in found]
    assert {'bytes', 'url', 'looks', None} == set(evidence)


@pytest.mark.parametrize('bits', [0, 6, 40, 64])
def test_kept_images_are_the_same_with_and_without_hashes_first(
    bits, monkeypatch
):
    images, _ = _draw_images(0, 150, '')
    images = replace(images, recipes=make_marks(['new'] * 150))
    rule = CopyRule(0.9, bits, cosine_alone=0.95)
    found = keep_originals(images, rule)
    monkeypatch.setattr(near_duplicates, '_have_hashes', lambda *_: False)
    assert keep_originals(images, rule) == found
    evidence = {copy.evidence if copy else None for copy in found}
    assert evidence - {'looks'} == {'bytes', 'url', None}
    assert ('looks' in evidence) == (bits > 0)


def test_marks_with_zero_bytes_are_compared_whole():
    # One mark in 256 begins with a zero byte, and one ends with it.
    texts = [f'http://{number}' for number in range(6000)]
    marks = make_marks(texts)
    assert len({mark[:1] for mark in marks.tolist()}) == 256
    axes = np.eye(3, dtype=np.float32)[np.arange(6000) % 2]
    images, others = (
        ImageTraits(
            list(map(str, range(3000))),
            axes[half],
            np.zeros(3000, np.uint64),
            make_marks([''] * 3000),
            make_marks([''] * 3000),
            marks[half],
        )
        for half in (slice(3000), slice(3000, None))
    )
    rule = CopyRule(cosine_alone=1)
    others = replace(others, embeddings=-others.embeddings)
    assert find_copies(images, others, rule) == [None] * 3000
    assert find_copies(images, images, rule) == [
        Copy(str(row), 1, 'url') for row in range(3000)
    ]

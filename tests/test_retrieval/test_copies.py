from dataclasses import replace

import numpy as np
import pytest
from web_memory import write_store

from ltvl_mm.retrieval.dedup import near_duplicates, near_pairs
from ltvl_mm.retrieval.dedup.image_traits import make_marks
from ltvl_mm.retrieval.dedup.near_duplicates import (
    Copy,
    CopyRule,
    ImageTraits,
    find_copies,
    find_leaks,
    keep_originals,
    read_traits,
)
from ltvl_mm.utils.hash_recipes import HASH_RECIPE


def _traits(embeddings, phash, sha256, prefix=''):
    keys = [f'{prefix}{row}' for row in range(len(sha256))]
    return ImageTraits(
        keys,
        np.array(embeddings, np.float32).reshape(len(keys), 3),
        np.array(phash, np.uint64),
        make_marks([HASH_RECIPE] * len(keys)),
        make_marks(sha256),
        make_marks([''] * len(keys)),
    )


def _random_traits(seed, rows, prefix=''):
    """Images in a narrow cone, with few hashes and few digests."""
    rng = np.random.default_rng(seed)
    x = np.array([3, 0, 0]) + rng.normal(size=(rows, 3))
    x /= np.linalg.norm(x, axis=1, keepdims=True)
    hashes = rng.choice(np.array([0, 7, 2**64 - 1], np.uint64), rows)
    return _traits(x, hashes, rng.choice(list('abcdefghij'), rows), prefix)


def _find_slowly(images, others, rule):
    found = []
    for row in range(len(images.keys)):
        pairs = []
        for place in range(len(others.keys)):
            cosine = float(images.embeddings[row] @ others.embeddings[place])
            differing = int(images.phash[row]) ^ int(others.phash[place])
            if images.sha256[row] == others.sha256[place] or (
                cosine >= rule.cosine
                and bin(differing).count('1') <= rule.phash_bits
            ):
                pairs.append((-cosine, others.keys[place]))
        found.append((min(pairs)[1], -min(pairs)[0]) if pairs else None)
    return found


# Two nearly equal directions, and one far from both.
A, B, C = [1, 0, 0], [0.98, 0.199, 0], [0, 0, 1]
HASH = 0b1011


def test_the_same_bytes_are_a_copy_whatever_the_rule():
    strict = CopyRule(cosine=1, phash_bits=0)
    images = _traits([A], [HASH], ['x'])
    # The same bytes once more, embedded with another rounding.
    others = _traits([[0.9995, 0, 0]], [HASH], ['x'], 'test/')
    (copy,) = find_copies(images, others, strict)
    assert copy == Copy('test/0', pytest.approx(0.9995), 'bytes')


@pytest.mark.parametrize(
    ('embedding', 'phash', 'copied'),
    [
        (B, HASH ^ 0b111111, True),  # cosine 0.98, 6 bits
        (B, HASH ^ 0b1111111, False),  # 7 bits
        (C, HASH, False),  # the same hash, another picture
        ([0.95, 0.312, 0], HASH, False),  # cosine 0.95
    ],
)
def test_a_near_copy_is_near_in_both_respects(embedding, phash, copied):
    images = _traits([embedding], [phash], ['x'])
    others = _traits([A], [HASH], ['y'], 'test/')
    found = find_copies(images, others, CopyRule(0.96, 6))
    assert [pair is not None for pair in found] == [copied]


def test_64_bits_leave_the_decision_to_the_cosine():
    images = _traits([B], [2**64 - 1], ['x'])
    others = _traits([A], [0], ['y'], 'test/')
    assert find_copies(images, others, CopyRule(0.96, 63)) == [None]
    assert find_copies(images, others, CopyRule(0.96, 64)) != [None]


def test_the_closest_is_named_and_of_equals_the_first_key():
    images = _traits([A], [HASH], ['x'])
    others = _traits([B, A, A], [HASH] * 3, 'abc', 'test/')
    (copy,) = find_copies(images, others, CopyRule())
    assert copy == Copy('test/1', pytest.approx(1), 'looks')


@pytest.mark.parametrize('bits', [0, 3, 64])
@pytest.mark.parametrize('cosine', [0.5, 0.9, 0.99])
def test_find_copies_equals_comparing_each_with_each(cosine, bits):
    images, others = _random_traits(0, 40), _random_traits(1, 30, 'test/')
    # The same digest means the same embedding, but not in random numbers.
    images.sha256[:] = make_marks(f'web {row}' for row in range(40))
    rule = CopyRule(cosine, bits)
    found = find_copies(images, others, rule)
    due = _find_slowly(images, others, rule)
    assert [f and f.of for f in found] == [d and d[0] for d in due]
    assert [f.cosine for f in found if f] == pytest.approx(
        [d[1] for d in due if d], abs=1e-6
    )
    assert any(found)


@pytest.mark.parametrize(
    ('rule', 'copied'),
    [
        (CopyRule(0.96, 6, cosine_alone=0.97), True),  # cosine 0.98
        (CopyRule(0.96, 6, cosine_alone=0.99), False),
        (CopyRule(0.99, 6, cosine_alone=0.97), True),
        (CopyRule(0.96, 64, cosine_alone=0.99), True),  # hashes are not asked
        (CopyRule(0.99, 64, cosine_alone=0.97), False),
    ],
)
def test_where_a_hash_is_missing_the_cosine_decides_alone(rule, copied):
    # A clip-retrieval folder has neither hashes nor digests.
    images = _traits([A, B, C], [0] * 3, [None] * 3)
    images = replace(images, recipes=make_marks([''] * 3))
    others = _traits([A], [2**64 - 1], ['x'], 'test/')
    for one, other in ((images, others), (others, images)):
        found = find_copies(
            _pick(one, [len(one.keys) // 2]),  # B of A, and A of B
            _pick(other, [len(other.keys) // 2]),
            rule,
        )
        assert [copy is not None for copy in found] == [copied]
    # Absent digests are not equal ones.
    found = keep_originals(images, rule)
    assert [copy is not None for copy in found] == [False, copied, False]


def test_the_same_url_is_a_copy_and_an_unknown_one_is_not():
    images = replace(
        _traits([A, B, C], [0] * 3, 'abc'), urls=make_marks(['u', None, ''])
    )
    others = _traits([C, B], [2**64 - 1] * 2, 'de', 'test/')
    others = replace(others, urls=make_marks(['u', None]))
    found = find_copies(images, others, CopyRule())
    assert found == [Copy('test/0', 0, 'url'), None, None]
    images = replace(images, urls=make_marks(['u', '', 'u']))
    found = keep_originals(images, CopyRule(1, 0))
    assert found == [None, None, Copy('0', 0, 'url')]


def test_the_hardest_evidence_is_named():
    images = replace(_traits([A], [HASH], ['x']), urls=make_marks(['u']))
    others = _traits([A, C, C], [HASH] * 3, 'yyx', 'test/')
    others = replace(others, urls=make_marks(['', 'u', '']))
    found = [
        find_copies(images, _pick(others, rows), CopyRule())[0]
        for rows in ([0, 1, 2], [0, 1], [0])
    ]
    assert [(c.of, c.evidence) for c in found] == [
        ('test/2', 'bytes'),
        ('test/1', 'url'),
        ('test/0', 'looks'),
    ]


def test_no_images_have_no_copies():
    none = _traits(np.empty((0, 3)), [], [])
    others = _traits([A], [HASH], ['y'])
    assert find_copies(none, others, CopyRule()) == []
    assert keep_originals(none, CopyRule()) == []


def test_of_copies_the_best_is_kept():
    # Best first: 1 copies 0; 2 is another picture; 3 has the bytes of 2.
    images = _traits([A, B, C, C], [HASH] * 4, 'abcc')
    found = keep_originals(images, CopyRule())
    assert [f and f.of for f in found] == [None, '0', None, '2']
    assert found[1].cosine == pytest.approx(0.98)


def test_a_copy_of_what_was_dropped_is_kept():
    # A chain: each copies its neighbor, the first and the third do not.
    angles = np.deg2rad([0, 14, 28])
    chain = np.stack([np.cos(angles), np.sin(angles), 0 * angles], 1)
    found = keep_originals(_traits(chain, [0] * 3, 'abc'), CopyRule())
    assert [f and f.of for f in found] == [None, '0', None]


@pytest.mark.parametrize('seed', range(3))
def test_what_is_kept_copies_nothing_and_what_is_dropped_does(seed):
    images, rule = _random_traits(seed, 50), CopyRule(0.9, 3)
    found = keep_originals(images, rule)
    kept = [row for row, twin in enumerate(found) if twin is None]
    for row in range(50):
        before = [k for k in kept if k < row]
        one = _pick(images, [row])
        (twin,) = _find_slowly(one, _pick(images, before), rule)
        assert (twin is None) == (row in kept)
    assert 0 < len(kept) < 50


@pytest.mark.parametrize('size', [1, 3, 7])
def test_blocks_change_nothing(monkeypatch, size):
    images, others = _random_traits(0, 40), _random_traits(1, 30, 'test/')
    rule = CopyRule(0.9, 3)
    whole = find_copies(images, others, rule), keep_originals(images, rule)
    monkeypatch.setattr(near_duplicates, '_KEPT', size)
    monkeypatch.setattr(near_pairs, '_IMAGES', size)
    monkeypatch.setattr(near_pairs, '_PAIRS', size)
    assert whole == (
        find_copies(images, others, rule),
        keep_originals(images, rule),
    )


def test_the_closest_of_all_stores_to_keep_out_is_named(tmp_path, monkeypatch):
    rng = np.random.default_rng(0)
    x = np.array([3, 0, 0, 0]) + rng.normal(size=(60, 4))
    x = (x / np.linalg.norm(x, axis=1, keepdims=True)).astype('f2')
    web = write_store(tmp_path / 'web', [x[:7], x[7:20]])
    kept_out = [
        write_store(tmp_path / name, np.split(x[20:], parts))
        for name, parts in (('val', [20]), ('test', [4, 30]))
    ]
    rows = np.array([18, 2, 11, 7, 3])
    traits = read_traits(web, rows)
    rule = CopyRule(0.7, 64)
    due = [
        max(row)
        for row in (x[rows].astype(float) @ x[20:].astype(float).T).tolist()
    ]
    for size in (3, 1000):
        monkeypatch.setattr(near_duplicates, '_ROWS', size)
        for stores in (kept_out, kept_out[::-1]):
            found = find_leaks(traits, stores, rule)
            assert [c.cosine if c else 0 for c in found] == pytest.approx(
                [cosine if cosine >= 0.7 else 0 for cosine in due]
            )


def _pick(images, rows):
    rows = np.array(rows, int)
    return images.pick(rows, images.embeddings[rows])


@pytest.mark.parametrize('cosine', [0, -0.5, 1.01, float('nan')])
def test_the_cosine_of_a_rule_has_a_range(cosine):
    with pytest.raises(ValueError, match=r'cosine must lie in \(0, 1\]'):
        CopyRule(cosine=cosine)


@pytest.mark.parametrize('bits', [-1, 65])
def test_the_bits_of_a_rule_have_a_range(bits):
    with pytest.raises(ValueError, match=r'phash_bits must lie in \[0, 64\]'):
        CopyRule(phash_bits=bits)

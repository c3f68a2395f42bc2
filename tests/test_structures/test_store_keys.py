import hashlib
import itertools

import numpy as np
import pyarrow as pa
import pytest

from ltvl_mm.structures import store_keys
from ltvl_mm.structures.store_keys import bind_keys, find_repeated, hash_keys
from ltvl_mm.utils.rng import make_generator

KEYS = ['a', '', 'b', 'ba', 'ab', 'é', '猫' * 3000, '', 'x' * 9000, 'a', '']


def _chunk(keys, *cuts):
    edges = [0, *cuts, len(keys)]
    return pa.chunked_array(
        [keys[a:b] for a, b in itertools.pairwise(edges)],
        pa.string(),
    )


@pytest.mark.parametrize('block', [1, 3, 1 << 20])
@pytest.mark.parametrize('cuts', [(), (1, 2, 7), (0, 11)])
def test_equal_keys_have_equal_hashes_and_others_do_not(
    monkeypatch, block, cuts
):
    monkeypatch.setattr(store_keys, '_BLOCK', block)
    hashes = hash_keys(_chunk(KEYS, *cuts))
    assert len(hashes) == len(KEYS)
    for one, first in enumerate(KEYS):
        for other, second in enumerate(KEYS):
            assert (hashes[one] == hashes[other]) == (first == second)
    assert find_repeated(hashes).tolist() == [0, 1, 7, 9, 10]


@pytest.mark.parametrize('name', ['{0:05d}/{1:09d}', '{0}/{1}', '{1:0200d}'])
def test_hashes_of_many_keys_are_unique(name):
    keys = [name.format(n // 1000, n) for n in range(50_000)]
    assert not len(find_repeated(hash_keys(_chunk(keys))))


def _hash_slowly(key):
    weights = make_generator(0, 4096).integers(
        1 << 63, size=4097, dtype=np.uint64
    )
    data = key.encode()
    found = int(weights[-1]) * len(data)
    for place, first in enumerate(range(0, len(data), 4)):
        piece = int.from_bytes(data[first : first + 4], 'little')
        found += int(weights[place % 4096]) * piece
    found %= 1 << 64
    return found ^ (found >> 32)


@pytest.mark.parametrize(
    'keys',
    [
        KEYS,
        ['', 'a', 'a\0', 'a\0\0\0\0', '\0'],
        *([f'{n:0{length}d}' for n in range(9)] for length in range(1, 10)),
    ],
    ids=lambda keys: keys[-1][:9],
)
def test_hashes_are_those_of_the_slow_version(keys):
    found = hash_keys(_chunk(keys, 1))
    assert found.tolist() == [_hash_slowly(key) for key in keys]
    assert find_repeated(np.append(found, found[3])).tolist().count(3) == 1


def test_slices_are_hashed_as_what_they_hold():
    column = _chunk(KEYS).slice(2, 3)
    assert np.array_equal(hash_keys(column), hash_keys(_chunk(KEYS[2:5])))
    assert bind_keys('x', column) == bind_keys('x', _chunk(KEYS[2:5]))


def test_a_binding_by_hand():
    lengths = np.array([1, 0, 2], np.int64).tobytes()
    due = hashlib.sha256(b'digest' + lengths + b'abc').hexdigest()
    for cuts in ((), (1,), (1, 2)):
        assert bind_keys('digest', _chunk(['a', '', 'bc'], *cuts)) == due
    others = (
        bind_keys('digest', _chunk(['a', 'b', 'c'])),
        bind_keys('other', _chunk(['a', '', 'bc'])),
    )
    assert due not in others


def test_no_keys_have_no_hashes():
    assert len(hash_keys(_chunk([]))) == 0
    assert find_repeated(np.empty(0, np.uint64)).tolist() == []

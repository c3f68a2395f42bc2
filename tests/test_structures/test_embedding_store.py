import json
import os

import numpy as np
import pyarrow.parquet as pq
import pytest

from ltvl_mm.structures.store_parts import METADATA, locate_part
from ltvl_mm.structures.store_reader import open_store, read_part
from ltvl_mm.structures.store_writer import (
    begin_store,
    finish_store,
    write_part,
)

ENCODER = {'arch': 'a', 'weights': 'w', 'preprocess': 'p'}
SIZES = (3, 0, 4, 1)


def _unit(rows, seed):
    x = np.random.default_rng(seed).normal(size=(rows, 5))
    return (x / np.linalg.norm(x, axis=1, keepdims=True)).astype(np.float16)


def _describe(part, rows):
    columns = {name: [''] * rows for name in METADATA.names}
    columns['image_path'] = [f'{part}/{row}' for row in range(rows)]
    for name in ('offset', 'size'):
        columns[name] = list(range(rows))
    columns['phash'] = [(1 << 64) - 1 - row for row in range(rows)]
    return columns


@pytest.fixture
def store(tmp_path):
    begin_store(tmp_path, {'batch_size': 4})
    parts = [
        write_part(
            tmp_path,
            len(SIZES),
            number,
            f'shard-{number}',
            _unit(rows, number),
            _describe(number, rows),
            [(f'{number}/bad', 'empty file')] * (rows == 0),
        )
        for number, rows in enumerate(SIZES)
    ]
    return finish_store(tmp_path, ENCODER, 5, parts)


@pytest.fixture
def matrix():
    return np.concatenate([_unit(n, i) for i, n in enumerate(SIZES)])


def test_an_opened_store_is_the_one_that_was_written(store):
    assert open_store(store.root) == store
    assert len(store) == 8


@pytest.mark.parametrize('rows', [1, 2, 3, 100])
def test_iterate_gives_every_row_once_in_order(store, matrix, rows):
    starts, chunks = zip(*store.iterate(rows), strict=True)
    assert max(map(len, chunks)) <= rows
    assert list(starts) == np.cumsum([0, *map(len, chunks)])[:-1].tolist()
    assert np.array_equal(np.concatenate(chunks), matrix)


@pytest.mark.parametrize('start', range(9))
@pytest.mark.parametrize('stop', [*range(9), None])
def test_iterate_reads_a_range(store, matrix, start, stop):
    found = list(store.iterate(2, start, stop))
    assert all(np.array_equal(x, matrix[i : i + len(x)]) for i, x in found)
    rows = [i + n for i, x in found for n in range(len(x))]
    assert rows == list(range(8))[start:stop]


def test_float16_may_stay_and_no_row_is_beyond_the_end(store, matrix):
    rows = np.array([7, 0, 3])
    found = store.read_rows(rows, raw=True)
    assert found.dtype == np.float16
    assert np.array_equal(found, matrix[rows])
    with pytest.raises(IndexError):
        store.read_rows(np.array([8]))


def test_rows_are_read_in_any_order_and_repeatedly(store, matrix):
    rows = np.array([7, 0, 3, 3, 2, 6])
    assert np.array_equal(store.read_rows(rows), matrix[rows])
    assert store.read_rows(rows).dtype == np.float32
    metadata = store.read_metadata(rows)
    assert metadata['image_path'] == ['3/0', '0/0', '2/0', '2/0', '0/2', '2/3']
    assert metadata['phash'][0] == (1 << 64) - 1  # no rounding to int64


def test_rows_are_found_by_key_in_any_part(store):
    keys = ['3/0', '0/2', 'unknown', '2/1', '0/2']
    assert store.find_rows(keys).tolist() == [7, 2, -1, 4, 2]
    assert store.find_rows([]).tolist() == []


def test_no_rows_are_read_for_no_rows(store):
    none = np.empty(0, np.int64)
    assert store.read_rows(none).shape == (0, 5)
    assert store.read_metadata(none)['image_path'] == []


def test_an_empty_part_has_no_matrix(store):
    assert not locate_part(store.root, 'img_emb', 1, 4).exists()
    assert not locate_part(store.root, 'metadata', 1, 4).exists()
    assert read_part(store.root, 4, 1).bad == (('1/bad', 'empty file'),)


def test_bad_images_are_listed_and_counted(store):
    listed = json.loads((store.root / 'bad_images.json').read_text())
    assert listed == [{'key': '1/bad', 'reason': 'empty file'}]
    header = json.loads((store.root / 'store.json').read_text())
    assert (header['rows'], header['bad_images']) == (8, 1)


@pytest.mark.parametrize(
    ('number', 'total', 'name'),
    [(0, 1, '_0'), (9, 10, '_9'), (9, 11, '_09'), (7, 1001, '_0007')],
)
def test_sorting_the_names_sorts_the_parts(tmp_path, number, total, name):
    file = locate_part(tmp_path, 'img_emb', number, total)
    assert file == tmp_path / 'img_emb' / f'img_emb{name}.npy'


def test_the_fingerprint_belongs_to_the_numbers(store, tmp_path):
    before = store.fingerprint
    assert open_store(store.root).fingerprint == before
    other = write_part(
        tmp_path, 4, 3, 'shard-3', _unit(1, 99), _describe(3, 1), bad=[]
    )
    finish_store(tmp_path, ENCODER, 5, [*store.parts[:3], other])
    assert open_store(store.root).fingerprint != before


def test_the_fingerprint_belongs_to_the_keys(store, tmp_path):
    columns = _describe(3, 1) | {'image_path': ['another key']}
    other = write_part(tmp_path, 4, 3, 'shard-3', _unit(1, 3), columns, bad=[])
    again = finish_store(tmp_path, ENCODER, 5, [*store.parts[:3], other])
    assert other.sha256 == store.parts[3].sha256
    assert again.fingerprint != store.fingerprint


def test_an_unfinished_store_says_how_to_finish_it(tmp_path):
    begin_store(tmp_path, {'batch_size': 4})
    with pytest.raises(
        ValueError, match=r'no complete embedding store .*embed_images\.py'
    ):
        open_store(tmp_path)


def test_a_missing_part_is_numbered(store):
    locate_part(store.root, 'part', 2, 4).unlink()
    with pytest.raises(ValueError, match=r'part 2 of 4 .*; restore it'):
        open_store(store.root)


def test_a_matrix_of_another_shape_is_refused(store):
    np.save(locate_part(store.root, 'img_emb', 2, 4), _unit(3, 2))
    message = r'has shape \(3, 5\), its header says \(4, 5\)'
    with pytest.raises(ValueError, match=message):
        list(store.iterate(2))
    with pytest.raises(ValueError, match=message):
        store.read_rows(np.array([4]))


def test_metadata_with_other_rows_than_the_matrix_is_refused(store):
    file = locate_part(store.root, 'metadata', 2, 4)
    pq.write_table(pq.read_table(file).slice(1), file)
    with pytest.raises(ValueError, match='has 3 rows, its header says 4'):
        store.read_metadata(np.array([3]))


@pytest.mark.parametrize('value', [np.nan, np.inf, 0.0, 0.99, 1.01])
def test_a_row_that_is_not_of_unit_norm_is_named(store, value):
    x = _unit(4, 2)
    x[3] = [value, 0, 0, 0, 0]
    np.save(locate_part(store.root, 'img_emb', 2, 4), x)
    with (
        np.errstate(all='ignore'),
        pytest.raises(
            ValueError, match=r"'shard-2', row 3: norm .* of key '2/3'"
        ),
    ):
        list(store.iterate(3))  # row 3 is the first of its second chunk
    assert len(list(store.iterate(3, check=False))) == 4


@pytest.mark.parametrize('value', [np.nan, np.inf, 0.0, 0.99])
def test_a_row_that_is_not_of_unit_norm_is_not_written(tmp_path, value):
    x = _unit(4, 2)
    x[3] = [value, 0, 0, 0, 0]
    with pytest.raises(ValueError, match=r"shard: the embedding of '2/3' has"):
        write_part(tmp_path, 4, 2, 'shard', x, _describe(2, 4), bad=[])
    assert not list(tmp_path.iterdir())


def test_a_store_is_continued_with_the_same_settings_only(tmp_path):
    begin_store(tmp_path, {'batch_size': 4, 'encoder': ENCODER})
    begin_store(tmp_path, {'batch_size': 4, 'encoder': ENCODER})
    with pytest.raises(
        ValueError, match=r'begun with another batch_size \(4, now 8\)'
    ):
        begin_store(tmp_path, {'batch_size': 8, 'encoder': ENCODER})


def test_what_a_killed_run_left_is_removed(tmp_path):
    begin_store(tmp_path, {})
    for folder in ('.', 'img_emb', 'metadata', 'parts'):
        left = tmp_path / folder / '.x.npy.abc.tmp'
        left.touch()
        os.utime(left, (0, 0))  # no writer in its name: its age counts
    begin_store(tmp_path, {})
    assert not list(tmp_path.rglob('.*.tmp'))
    assert sorted(os.listdir(tmp_path)) == [
        'img_emb',
        'metadata',
        'parts',
        'settings.json',
    ]

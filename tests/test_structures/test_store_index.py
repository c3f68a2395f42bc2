import json

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from laion_folder import ENCODER, SIZES, draw_unit, write_laion, write_part

from ltvl_mm.structures.store_index import index_store
from ltvl_mm.structures.store_parts import METADATA
from ltvl_mm.structures.store_reader import open_store


@pytest.fixture
def laion(tmp_path):
    return write_laion(tmp_path)


@pytest.fixture
def store(laion):
    return index_store(laion, ENCODER)


def _read_all(store):
    return np.concatenate([chunk for _, chunk in store.iterate(3)])


MATRIX = np.concatenate([draw_unit(n, i) for i, n in SIZES.items()])
KEYS = [f'{i:05d}{row:04d}' for i, n in SIZES.items() for row in range(n)]


@pytest.mark.parametrize('digits', [1, 2, 5])
@pytest.mark.parametrize('kind', [np.float16, np.float32])
def test_a_folder_of_clip_retrieval_is_read(tmp_path, digits, kind):
    for number, rows in SIZES.items():
        write_part(tmp_path, number, rows, digits=digits, kind=kind)
    before = {file: file.read_bytes() for file in tmp_path.rglob('*.*')}
    store = index_store(tmp_path, ENCODER)
    assert (len(store), store.dim, store.encoder) == (10, 5, ENCODER)
    due = np.concatenate([draw_unit(n, i, kind) for i, n in SIZES.items()])
    assert np.array_equal(_read_all(store), due)
    rows = np.array([9, 0, 7, 7])
    assert np.array_equal(store.read_rows(rows), due[rows])
    keys = store.read_metadata(rows)['image_path']
    assert keys == [KEYS[row] for row in rows]
    assert {file: file.read_bytes() for file in before} == before
    assert len(list(tmp_path.rglob('*.*'))) == len(before) + 1  # store.json


def test_the_matrices_stay_on_the_disk(store):
    for _, chunk in store.iterate(100):
        assert isinstance(chunk, np.memmap)


def test_an_index_is_opened_again_wherever_the_folder_moves(laion, store):
    assert open_store(laion) == store
    moved = laion.rename(laion.with_name('moved'))
    again = open_store(moved)
    assert np.array_equal(_read_all(again), MATRIX)
    assert again.fingerprint == store.fingerprint
    header = json.loads((moved / 'store.json').read_text())
    assert header['fingerprint'] == store.fingerprint
    assert (header['rows'], header['dtype']) == (10, 'float16')


def test_an_index_may_lie_elsewhere(laion, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    store = index_store('laion', ENCODER, out='index')
    assert not (laion / 'store.json').exists()
    monkeypatch.chdir('/')
    assert np.array_equal(_read_all(open_store(tmp_path / 'index')), MATRIX)
    assert store.fingerprint == index_store(laion, ENCODER).fingerprint


@pytest.mark.parametrize('keys', ['txt', 'parquet'])
def test_plain_matrices_with_keys_are_read(tmp_path, keys):
    for number, rows in SIZES.items():
        np.save(tmp_path / f'x{number}.npy', draw_unit(rows, number))
        names = KEYS[: len(draw_unit(rows, 0))]
        names = [f'{number} {key}\u2028' for key in names]  # no line ends
        if keys == 'txt':
            text = ''.join(f'{name}\n' for name in names)
            (tmp_path / f'x{number}.txt').write_text(text, encoding='utf-8')
        else:
            table = pa.table({'url': names, 'WIDTH': [8] * rows})
            pq.write_table(table, tmp_path / f'x{number}.parquet')
    store = index_store(tmp_path, ENCODER)
    assert np.array_equal(_read_all(store), MATRIX)
    found = store.read_metadata(np.array([9, 0]), ('image_path', 'width'))
    assert found == {
        'image_path': [f'12 {KEYS[1]}\u2028', f'0 {KEYS[0]}\u2028'],
        'width': [None, None] if keys == 'txt' else [8, 8],
    }


# Columns.


def test_columns_that_are_not_there_are_none(store):
    found = store.read_metadata(np.array([4]))
    assert found.pop('image_path') == [KEYS[4]]
    assert found.pop('caption') == ['caption 1']
    assert found == {name: [None] for name in METADATA.names if name in found}


def test_filters_read_whole_columns_of_a_part(store):
    part = store.parts[1]
    assert set(store.find_columns(part)) == {
        'image_path',
        'caption',
        'NSFW',
        'similarity',
        'original_width',
    }
    table = store.read_columns(part, ['original_width', 'nsfw', 'punsafe'])
    assert table['original_width'].to_pylist() == [640, 641, 642, 643]
    assert table['nsfw'].to_pylist() == ['UNLIKELY'] * 4
    assert table['punsafe'].to_pylist() == [None] * 4
    assert table.column_names == ['original_width', 'nsfw', 'punsafe']
    none = store.read_columns(part, ['punsafe'])
    assert (len(none), none['punsafe'].null_count) == (4, 4)


def test_only_the_columns_that_are_asked_for_are_read(store, monkeypatch):
    asked = []
    read = pq.ParquetFile.read

    def watch(self, columns):
        asked.append(columns)
        return read(self, columns=columns)

    monkeypatch.setattr(pq.ParquetFile, 'read', watch)
    store.read_columns(store.parts[0], ['NSFW', 'punsafe'])
    assert asked == [['NSFW']]


def test_laions_own_spelling_is_understood(tmp_path):
    write_part(tmp_path, 0, 2)
    table = pa.table(
        {
            'SAMPLE_ID': pa.array([7, 8], pa.int64()),
            'URL': ['http://7', 'http://8'],
            'TEXT': ['seven', None],
            'WIDTH': pa.array([1.0, 2.0], pa.float64()),
        }
    )
    pq.write_table(table, tmp_path / 'metadata/metadata_0.parquet')
    store = index_store(tmp_path, ENCODER)
    found = store.read_metadata(
        np.arange(2), ('image_path', 'caption', 'url', 'width')
    )
    assert found == {
        'image_path': ['7', '8'],
        'caption': ['seven', None],
        'url': ['http://7', 'http://8'],
        'width': [1, 2],
    }


def test_what_is_missing_for_a_purpose_is_said(store):
    store.check_columns(['image_path', 'caption'], 'reading')
    with pytest.raises(
        ValueError,
        match=r'copying needs the columns source, sha256, which .*metadata_0',
    ):
        store.check_columns(['caption', 'source', 'sha256'], 'copying')


def test_another_encoder_is_another_fingerprint(laion, store):
    other = index_store(laion, ENCODER | {'weights': 'x'})
    assert other.fingerprint != store.fingerprint


def test_an_empty_partition_may_have_no_matrix(laion):
    write_part(laion, 3, 0)
    (laion / 'img_emb' / 'img_emb_3.npy').unlink()
    assert np.array_equal(_read_all(index_store(laion, ENCODER)), MATRIX)

import json
import pickle
import shutil

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from ltvl_mm.structures.store_index import index_store
from ltvl_mm.structures.store_parts import METADATA
from ltvl_mm.structures.store_reader import open_store
from ltvl_mm.structures.store_writer import begin_store

ENCODER = {'arch': 'a', 'weights': 'w', 'preprocess': 'p'}
# Numbers with a gap; as names, 10 and 12 would come before 2.
SIZES = {0: 3, 2: 4, 10: 1, 12: 2}


def _unit(rows, seed, kind=np.float16):
    x = np.random.default_rng(seed).normal(size=(rows, 5))
    return (x / np.linalg.norm(x, axis=1, keepdims=True)).astype(kind)


def _write(folder, number, rows, *, digits=1, kind=np.float16, **columns):
    """Write a part as clip-retrieval does, with LAION's columns."""
    for name in ('img_emb', 'metadata'):
        (folder / name).mkdir(parents=True, exist_ok=True)
    name = f'{number:0{digits}d}'
    np.save(folder / f'img_emb/img_emb_{name}.npy', _unit(rows, number, kind))
    table = {
        'image_path': [f'{number:05d}{row:04d}' for row in range(rows)],
        'caption': [f'caption {row}' for row in range(rows)],
        'NSFW': ['UNLIKELY'] * rows,
        'similarity': [0.3] * rows,
        'original_width': [640 + row for row in range(rows)],
    }
    pq.write_table(
        pa.table(table | columns),
        folder / f'metadata/metadata_{name}.parquet',
    )


@pytest.fixture
def laion(tmp_path):
    for number, rows in SIZES.items():
        _write(tmp_path / 'laion', number, rows)
    return tmp_path / 'laion'


@pytest.fixture
def store(laion):
    return index_store(laion, ENCODER)


def _read_all(store):
    return np.concatenate([chunk for _, chunk in store.iterate(3)])


MATRIX = np.concatenate([_unit(n, i) for i, n in SIZES.items()])
KEYS = [f'{i:05d}{row:04d}' for i, n in SIZES.items() for row in range(n)]


@pytest.mark.parametrize('digits', [1, 2, 5])
@pytest.mark.parametrize('kind', [np.float16, np.float32])
def test_a_folder_of_clip_retrieval_is_read(tmp_path, digits, kind):
    for number, rows in SIZES.items():
        _write(tmp_path, number, rows, digits=digits, kind=kind)
    before = {file: file.read_bytes() for file in tmp_path.rglob('*.*')}
    store = index_store(tmp_path, ENCODER)
    assert (len(store), store.dim, store.encoder) == (10, 5, ENCODER)
    due = np.concatenate([_unit(n, i, kind) for i, n in SIZES.items()])
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
        np.save(tmp_path / f'x{number}.npy', _unit(rows, number))
        names = KEYS[: len(_unit(rows, 0))]
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
    _write(tmp_path, 0, 2)
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


# What is wrong.


@pytest.mark.parametrize('file', ['img_emb_2.npy', 'metadata_2.parquet'])
def test_a_changed_file_is_refused_until_it_is_indexed_again(
    laion, store, file
):
    if file == 'img_emb_2.npy':
        np.save(laion / 'img_emb' / file, _unit(4, 99))
    else:
        _write(laion, 2, 4, caption=['other'] * 4)
    with pytest.raises(ValueError, match=f'{file}.* has changed since'):
        open_store(laion)
    assert index_store(laion, ENCODER).fingerprint != store.fingerprint


def test_another_encoder_is_another_fingerprint(laion, store):
    other = index_store(laion, ENCODER | {'weights': 'x'})
    assert other.fingerprint != store.fingerprint


def _pickle(file):
    with open(file, 'wb') as handle:
        pickle.dump({'x': 1}, handle)


def _save_object(file):
    np.save(file, np.array([{'x': 1}] * 4), allow_pickle=True)


def _save_archive(file):
    with open(file, 'wb') as handle:
        np.savez(handle, x=_unit(4, 2))


def _cut(file):
    file.write_bytes(file.read_bytes()[:-1])


@pytest.mark.parametrize(
    'spoil',
    [
        _pickle,
        _save_object,
        _save_archive,
        _cut,
        lambda file: file.write_bytes(b''),
        lambda file: file.write_bytes(b'\x93NUMPY\x01\x00v\x00' + b'(' * 118),
        lambda file: np.save(file, np.zeros((4, 5), 'S8')),
        lambda file: np.save(file, np.zeros((4, 5), '>f2')),
        lambda file: np.save(file, _unit(4, 2).astype(np.float64)),
        lambda file: np.save(file, np.zeros(20, np.float16)),
    ],
)
def test_what_is_no_matrix_is_refused_by_name(laion, spoil):
    spoil(laion / 'img_emb' / 'img_emb_2.npy')
    with pytest.raises(ValueError, match=r'img_emb_2\.npy (is not|holds)'):
        index_store(laion, ENCODER)


def test_nothing_in_a_pickle_is_run(laion):
    class Bomb:
        def __reduce__(self):
            return (shutil.rmtree, (str(laion),))

    file = laion / 'img_emb' / 'img_emb_2.npy'
    file.write_bytes(pickle.dumps(Bomb()))
    with pytest.raises(ValueError, match=r'_emb_2\.npy is not a \.npy file'):
        index_store(laion, ENCODER)
    object_array = np.empty(4, object)
    object_array[:] = Bomb()
    np.save(file, object_array, allow_pickle=True)
    with pytest.raises(ValueError, match=r'_emb_2\.npy is not a \.npy file'):
        index_store(laion, ENCODER)
    assert laion.exists()


def test_rows_without_a_line_are_refused(laion):
    _write(laion, 2, 3)
    np.save(laion / 'img_emb' / 'img_emb_2.npy', _unit(4, 2))
    with pytest.raises(
        ValueError, match=r'img_emb_2\.npy has 4 rows, but .*_2\.parquet has 3'
    ):
        index_store(laion, ENCODER)


def test_numbers_make_pairs_and_a_missing_partner_is_named(laion):
    # As many of each, but not of the same numbers: rows would shift.
    (laion / 'img_emb' / 'img_emb_10.npy').unlink()
    (laion / 'metadata' / 'metadata_2.parquet').unlink()
    with pytest.raises(ValueError, match=r'img_emb_2\.npy has no metadata'):
        index_store(laion, ENCODER)
    (laion / 'img_emb' / 'img_emb_2.npy').unlink()
    with pytest.raises(ValueError, match=r'_10\.parquet has no embeddings'):
        index_store(laion, ENCODER)


def test_an_empty_partition_may_have_no_matrix(laion):
    _write(laion, 3, 0)
    (laion / 'img_emb' / 'img_emb_3.npy').unlink()
    assert np.array_equal(_read_all(index_store(laion, ENCODER)), MATRIX)


def test_two_files_of_one_number_are_refused(laion):
    shutil.copy(
        laion / 'img_emb' / 'img_emb_2.npy',
        laion / 'img_emb' / 'img_emb_02.npy',
    )
    with pytest.raises(ValueError, match='have the same number'):
        index_store(laion, ENCODER)


def test_other_widths_norms_and_columns_are_refused(laion):
    file = laion / 'img_emb' / 'img_emb_2.npy'
    np.save(file, np.eye(4, dtype=np.float16))
    with pytest.raises(ValueError, match=r'_2\.npy has width 4, .* has 5'):
        index_store(laion, ENCODER)
    np.save(file, 3 * _unit(4, 2))
    with pytest.raises(ValueError, match=r'img_emb_2\.npy, row 0: norm'):
        index_store(laion, ENCODER)
    np.save(file, _unit(4, 2))
    table = pa.table({'text': ['x'] * 4})
    pq.write_table(table, laion / 'metadata' / 'metadata_2.parquet')
    with pytest.raises(ValueError, match='neither image_path nor key nor url'):
        index_store(laion, ENCODER)


def test_keys_of_plain_matrices_must_be_clear(tmp_path):
    np.save(tmp_path / 'x.npy', _unit(2, 0))
    with pytest.raises(ValueError, match=r'x\.npy needs its keys .* are 0'):
        index_store(tmp_path, ENCODER)
    (tmp_path / 'x.txt').write_text('a\nb\n')
    pq.write_table(pa.table({'key': ['a', 'b']}), tmp_path / 'x.parquet')
    with pytest.raises(ValueError, match=r'x\.npy needs its keys .* are 2'):
        index_store(tmp_path, ENCODER)


def test_a_table_that_is_none_is_named(laion):
    (laion / 'metadata' / 'metadata_2.parquet').write_bytes(b'PAR1 no')
    with pytest.raises(ValueError, match=r'_2\.parquet is not a parquet file'):
        index_store(laion, ENCODER)


def test_a_folder_without_embeddings_is_refused(tmp_path):
    with pytest.raises(ValueError, match='has neither img_emb/'):
        index_store(tmp_path, ENCODER)
    np.save(tmp_path / 'x.npy', np.empty((0, 4), np.float16))
    (tmp_path / 'x.txt').write_text('')
    with pytest.raises(ValueError, match=r'hold no row, such as .*x\.npy'):
        index_store(tmp_path, ENCODER)


def test_our_own_stores_are_not_indexed(laion):
    begin_store(laion, {'encoder': ENCODER})  # and then killed
    with pytest.raises(ValueError, match='needs no index'):
        index_store(laion, ENCODER)


def test_without_an_index_the_encoder_is_asked_for(laion):
    with pytest.raises(ValueError, match=r'tools/index_store\.py'):
        open_store(laion)

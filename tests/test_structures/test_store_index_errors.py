"""Folders of embeddings that cannot be indexed, and what is said of them."""

import pickle
import shutil

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from laion_folder import ENCODER, draw_unit, write_laion, write_part

from ltvl_mm.structures.store_index import index_store
from ltvl_mm.structures.store_reader import open_store
from ltvl_mm.structures.store_writer import begin_store


@pytest.fixture
def laion(tmp_path):
    return write_laion(tmp_path)


@pytest.fixture
def store(laion):
    return index_store(laion, ENCODER)


# What is wrong.


@pytest.mark.parametrize('file', ['img_emb_2.npy', 'metadata_2.parquet'])
def test_a_changed_file_is_refused_until_it_is_indexed_again(
    laion, store, file
):
    if file == 'img_emb_2.npy':
        np.save(laion / 'img_emb' / file, draw_unit(4, 99))
    else:
        write_part(laion, 2, 4, caption=['other'] * 4)
    with pytest.raises(ValueError, match=f'{file}.* has changed since'):
        open_store(laion)
    assert index_store(laion, ENCODER).fingerprint != store.fingerprint


def _pickle(file):
    with open(file, 'wb') as handle:
        pickle.dump({'x': 1}, handle)


def _save_object(file):
    np.save(file, np.array([{'x': 1}] * 4), allow_pickle=True)


def _save_archive(file):
    with open(file, 'wb') as handle:
        np.savez(handle, x=draw_unit(4, 2))


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
        lambda file: np.save(file, draw_unit(4, 2).astype(np.float64)),
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
    write_part(laion, 2, 3)
    np.save(laion / 'img_emb' / 'img_emb_2.npy', draw_unit(4, 2))
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
    np.save(file, 3 * draw_unit(4, 2))
    with pytest.raises(ValueError, match=r'img_emb_2\.npy, row 0: norm'):
        index_store(laion, ENCODER)
    np.save(file, draw_unit(4, 2))
    table = pa.table({'text': ['x'] * 4})
    pq.write_table(table, laion / 'metadata' / 'metadata_2.parquet')
    with pytest.raises(ValueError, match='neither image_path nor key nor url'):
        index_store(laion, ENCODER)


def test_keys_of_plain_matrices_must_be_clear(tmp_path):
    np.save(tmp_path / 'x.npy', draw_unit(2, 0))
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

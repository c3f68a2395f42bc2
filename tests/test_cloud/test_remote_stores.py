"""Stores that are written to and read from an S3 server."""

import numpy as np
import pytest
from object_store import bucket, server
from test_retrieval.web_memory import ENCODER, draw, embed, write_tar

from ltvl_mm.retrieval.reading.shards import find_shards
from ltvl_mm.structures import remote_matrix, store_numbering
from ltvl_mm.structures.remote_matrix import RemoteMatrix
from ltvl_mm.structures.store_check import check_store
from ltvl_mm.structures.store_index import index_store
from ltvl_mm.structures.store_reader import open_store
from ltvl_mm.utils import remote_calls, remote_files
from ltvl_mm.utils.remote_errors import RemoteError
from ltvl_mm.utils.remote_paths import as_path

__all__ = ['bucket', 'server']


@pytest.fixture
def web(tmp_path):
    for number in range(3):
        members = [(f'{n}.jpg', draw(10 * number + n)) for n in range(5)]
        write_tar(tmp_path / f'web/{number}.tar', members)
    return tmp_path / 'web'


def read_local(folder):
    return {
        file.relative_to(folder).as_posix(): file.read_bytes()
        for file in folder.rglob('*')
        if file.is_file()
    }


def test_a_remote_store_has_the_bytes_of_a_local_one(
    server, bucket, web, tmp_path
):
    shards = find_shards([str(web)])
    local = embed(shards, tmp_path / 'store')
    remote = embed(shards, f'{bucket}/store')
    assert server.read_folder(f'{bucket}/store') == read_local(
        tmp_path / 'store'
    )
    assert remote.fingerprint == local.fingerprint
    store = open_store(f'{bucket}/store')
    check_store(store)
    rows = np.array([14, 3, 3, 7])
    assert np.array_equal(store.read_rows(rows), local.read_rows(rows))
    assert store.read_metadata(rows) == local.read_metadata(rows)
    assert store.find_rows(['1/3', 'none']).tolist() == [8, -1]
    for start, stop, size in ((0, None, 2), (3, 12, 100), (4, 4, 3)):
        mine = list(store.iterate(size, start, stop))
        due = list(local.iterate(size, start, stop))
        assert [row for row, _ in mine] == [row for row, _ in due]
        for (_, one), (_, other) in zip(mine, due, strict=True):
            assert np.array_equal(one, other)


def test_a_changed_remote_store_is_found(server, bucket, web):
    embed(find_shards([str(web)]), f'{bucket}/store')
    name = f'{bucket}/store/img_emb/img_emb_1.npy'
    data = bytearray(
        server.read_folder(f'{bucket}/store')['img_emb/img_emb_1.npy']
    )
    data[-1] ^= 1
    server.put(name, bytes(data))
    with pytest.raises(
        ValueError, match=r's3://web/store/img_emb/img_emb_1.*ch'
    ):
        check_store(open_store(f'{bucket}/store'))
    server.put(name, bytes(data[:-1]))
    with pytest.raises(
        ValueError, match=r'img_emb_1.npy is not a .npy file .*d'
    ):
        check_store(open_store(f'{bucket}/store'))
    server.put(f'{bucket}/store/parts/part_0.json', b'{}')
    with pytest.raises(
        ValueError, match=r's3://web/store/parts/part_0.json is'
    ):
        open_store(f'{bucket}/store')


def test_shards_are_added_and_parts_get_other_numbers(
    server, bucket, web, tmp_path
):
    few = find_shards([str(web / '1.tar'), str(web / '2.tar')])
    embed(few, f'{bucket}/store')
    write_tar(web / '10.tar', [('x.jpg', draw(3))])
    shards = find_shards([str(web)])
    remote = embed(shards, f'{bucket}/store')
    embed(shards, tmp_path / 'store')
    assert len(remote) == 16
    assert server.read_folder(f'{bucket}/store') == read_local(
        tmp_path / 'store'
    )


@pytest.mark.parametrize('moment', [0, 3, 5, 12, 15, 23])
def test_a_move_that_is_killed_is_finished_by_the_next_run(
    server, bucket, web, tmp_path, monkeypatch, moment
):
    """A remote move copies, then deletes; each step may be the last."""
    few = find_shards([str(web / '1.tar'), str(web / '2.tar')])
    embed(few, f'{bucket}/store')
    steps = iter(range(100))

    def count(call):
        def counted(*args, **kwargs):
            if next(steps) == moment:
                raise KeyboardInterrupt
            return call(*args, **kwargs)

        return counted

    with monkeypatch.context() as patch:
        for name in ('copy_object', 'delete_object'):
            call = count(getattr(remote_files, name))
            patch.setattr(remote_files, name, call)
        with pytest.raises(KeyboardInterrupt):
            store_numbering.move_parts(
                as_path(f'{bucket}/store'), ['0', '1', '2']
            )
    shards = find_shards([str(web)])
    embed(shards, f'{bucket}/store')
    embed(shards, tmp_path / 'store')
    assert server.read_folder(f'{bucket}/store') == read_local(
        tmp_path / 'store'
    )


def test_an_upload_that_fails_leaves_no_part(server, bucket, web, monkeypatch):
    monkeypatch.setattr(remote_calls, 'TRIES', 2)
    shards = find_shards([str(web)])
    with (
        server.fail('status', methods=('PUT',), path='metadata_1'),
        pytest.raises(RemoteError, match=r'metadata_1.parquet cannot be wri'),
    ):
        embed(shards, f'{bucket}/store')
    names = remote_files.list_objects(f'{bucket}/store')
    assert 'parts/part_0.json' in names
    assert 'parts/part_1.json' not in names
    assert 'store.json' not in names
    with pytest.raises(ValueError, match='no complete embedding store in s3:'):
        open_store(f'{bucket}/store')
    assert len(embed(shards, f'{bucket}/store')) == 15


def test_other_settings_are_refused(server, bucket, web):
    shards = find_shards([str(web)])
    embed(shards, f'{bucket}/store')
    with pytest.raises(ValueError, match=r's3://web/store was begun with ano'):
        embed(shards, f'{bucket}/store', batch_size=4)


def test_embeddings_of_others_are_indexed(server, bucket, web, tmp_path):
    embed(find_shards([str(web)]), tmp_path / 'store')
    for name in ('img_emb', 'metadata'):
        server.upload(tmp_path / f'store/{name}', f'{bucket}/other/{name}')
    here = index_store(f'{bucket}/other', ENCODER)
    there = index_store(f'{bucket}/other', ENCODER, out=tmp_path / 'index')
    assert len(here) == len(there) == 15
    assert here.fingerprint == there.fingerprint
    check_store(open_store(tmp_path / 'index'))
    matrix = open_store(tmp_path / 'index').parts[0].matrix
    assert str(matrix) == 's3://web/other/img_emb/img_emb_0.npy'


def test_a_remote_index_names_no_file_elsewhere(server, bucket, web, tmp_path):
    embed(find_shards([str(web)]), tmp_path / 'store')
    server.upload(tmp_path / 'store', f'{bucket}/other')
    for name in ('/etc/passwd', 's3://web/b/x.npy', '../x.npy'):
        record = (
            '{"encoder": {}, "dim": 4, "indexed": [{"rows": 1, "sha256": "", '
            f'"matrix": "{name}", "table": "x.parquet"}}]}}'
        )
        server.put(f'{bucket}/other/store.json', record.encode())
        with pytest.raises(
            ValueError, match=r'leaves the folder s3://web/oth'
        ):
            open_store(f'{bucket}/other')


@pytest.mark.parametrize('dtype', [np.float16, np.float32])
def test_rows_of_a_remote_matrix(server, bucket, tmp_path, monkeypatch, dtype):
    monkeypatch.setattr(remote_matrix, '_REQUEST_BYTES', 1000)
    monkeypatch.setattr(remote_matrix, '_GAP_BYTES', 100)
    rng = np.random.default_rng(0)
    local = rng.normal(size=(501, 7)).astype(dtype)
    np.save(tmp_path / 'x.npy', local)
    server.upload(tmp_path, bucket)
    matrix = RemoteMatrix(f'{bucket}/x.npy')
    assert (matrix.shape, matrix.dtype, matrix.ndim) == ((501, 7), dtype, 2)
    assert len(matrix) == 501
    for rows in (slice(None), slice(3, 90), slice(500, 600), slice(7, 7)):
        assert np.array_equal(matrix[rows], local[rows])
    for size in (0, 1, 40, 400):
        rows = rng.integers(0, 501, size)
        assert np.array_equal(matrix[rows], local[rows])
    assert np.array_equal(matrix[5], local[5])
    assert matrix[3:9].flags['W']
    server.requests.clear()
    parts = list(matrix.stream(20, 333, 50))
    assert [start for start, _ in parts] == list(range(20, 333, 50))
    assert np.array_equal(np.concatenate([p for _, p in parts]), local[20:333])
    server.requests.clear()
    near = np.array([5, 6, 8])
    assert np.array_equal(matrix[near], local[near])
    assert len(server.requests) == 1  # near rows are one request


def test_what_is_not_a_matrix_of_rows_is_named(server, bucket, tmp_path):
    np.save(tmp_path / 'x.npy', np.asfortranarray(np.zeros((3, 4))))
    (tmp_path / 'y.npy').write_bytes(b'\x93NUMPY\x07\x00' + bytes(100))
    server.upload(tmp_path, bucket)
    with pytest.raises(ValueError, match='not stored row by row'):
        RemoteMatrix(f'{bucket}/x.npy')
    with pytest.raises(ValueError, match='version'):
        RemoteMatrix(f'{bucket}/y.npy')

"""Embed tars, images and lists that lie on an S3 server."""

import numpy as np
import pyarrow.parquet as pq
import pytest
from object_store import bucket, server
from test_retrieval.web_memory import draw, embed, write_tar

from ltvl_mm.retrieval.reading.shards import find_shards
from ltvl_mm.structures.store_reader import open_store
from ltvl_mm.utils import remote_calls, remote_reader
from ltvl_mm.utils.remote_errors import RemoteError

__all__ = ['bucket', 'server']


def write_tars(folder, tars=3, images=4):
    for number in range(tars):
        members = []
        for place in range(images):
            image = number * images + place
            members += [
                (f'{place}.jpg', draw(image)),
                (f'{place}.txt', b'caption %d' % image),
            ]
        write_tar(folder / f'{number:05d}.tar', members)


def read_store(store):
    """Return embeddings and metadata, without the paths of the sources."""
    names = ('image_path', 'caption', 'offset', 'size', 'sha256', 'phash')
    rows = np.arange(len(store))
    return store.read_rows(rows).tolist(), store.read_metadata(rows, names)


@pytest.mark.parametrize(
    ('inputs', 'workers'),
    [
        (['{}/*.tar'], 0),
        (['{}/{{00000..00002}}.tar'], 2),
        (['{}'], 0),
    ],
)
def test_tars_are_embedded_as_local_ones(
    server, bucket, tmp_path, inputs, workers
):
    write_tars(tmp_path / 'web')
    server.upload(tmp_path / 'web', f'{bucket}/web')
    local = embed(find_shards([str(tmp_path / 'web')]), tmp_path / 'local')
    shards = find_shards([text.format(f'{bucket}/web') for text in inputs])
    assert [shard.name for shard in shards] == ['00000', '00001', '00002']
    assert str(shards[0].tar) == 's3://web/web/00000.tar'
    remote = embed(shards, tmp_path / 'remote', workers=workers)
    assert read_store(remote) == read_store(local)
    found = remote.read_metadata(np.array([0]), ('source',))['source']
    assert found == ['s3://web/web/00000.tar']


def test_only_changed_tars_are_embedded_again(server, bucket, tmp_path):
    write_tars(tmp_path / 'web')
    server.upload(tmp_path / 'web', f'{bucket}/web')
    embed(find_shards([f'{bucket}/web']), tmp_path / 'store')
    server.requests.clear()
    embed(find_shards([f'{bucket}/web']), tmp_path / 'store')
    read = [r for m, _, r in server.requests if m == 'GET' and r]
    assert read == ['bytes=0-7'] * 3  # the format of each tar
    write_tar(tmp_path / 'web/00001.tar', [('9.jpg', draw(99))])
    server.upload(tmp_path / 'web', f'{bucket}/web')
    store = embed(find_shards([f'{bucket}/web']), tmp_path / 'store')
    assert len(store) == 9
    assert store.parts[1].source['path'] == 's3://web/web/00001.tar'
    assert set(store.parts[1].source) == {'path', 'size', 'version'}


def test_images_lists_and_parquet(server, bucket, tmp_path):
    for number in range(3):
        server.put(f'{bucket}/photos/{number}.jpg', draw(number))
    server.put(f'{bucket}/photos/1.txt', b'a caption')
    server.put(f'{bucket}/photos/.hidden.jpg', b'')
    table = {'key': ['a'], 'jpg': [draw(7)]}
    import pyarrow as pa

    pq.write_table(pa.table(table), tmp_path / 'p.parquet')
    server.upload(tmp_path, f'{bucket}/parquet')
    server.put(f'{bucket}/photos/list.txt', b'0.jpg 1\n2.jpg 0\n')
    store = embed(find_shards([f'{bucket}/photos']), tmp_path / 'folder')
    found = store.read_metadata(np.arange(3), ('image_path', 'caption'))
    assert found['image_path'] == ['0.jpg', '1.jpg', '2.jpg']
    assert found['caption'] == ['', 'a caption', '']
    listed = embed(
        find_shards([f'{bucket}/photos/list.txt']), tmp_path / 'listed'
    )
    assert np.array_equal(
        listed.read_rows(np.arange(2)), store.read_rows(np.array([0, 2]))
    )
    packed = embed(find_shards([f'{bucket}/parquet']), tmp_path / 'packed')
    assert len(packed) == 1
    (tmp_path / 'list.txt').write_text(f'{bucket}/photos/1.jpg\n')
    shards = find_shards([str(tmp_path / 'list.txt')], root=f'{bucket}/photos')
    assert shards[0].files[0][0] == '1.jpg'
    free = find_shards([str(tmp_path / 'list.txt')])
    assert free[0].files[0][0] == f'{bucket}/photos/1.jpg'


@pytest.mark.parametrize(
    ('line', 'root'),
    [
        ('../x.jpg', None),
        ('/etc/passwd', None),
        ('s3://web/secret/x.jpg', 's3://web/photos'),
        ('s3://web/photos2/x.jpg', 's3://web/photos'),
        ('s3://web/photos/../x.jpg', 's3://web/photos'),
        ('/etc/passwd', 's3://web/photos'),
        ('s3://web/photos/x.jpg', None),
        ('s3://web/lists/../photos/x.jpg', None),
    ],
)
def test_no_line_of_a_list_leaves_the_root(server, bucket, line, root):
    server.put(f'{bucket}/photos/x.jpg', draw(0))
    server.put(f'{bucket}/lists/list.txt', f'a.jpg\n{line}\n'.encode())
    with pytest.raises(
        ValueError, match=r'lists/list.txt, line 2: .*(leav|ou)'
    ):
        find_shards([f'{bucket}/lists/list.txt'], root=root)


def test_wrong_inputs_are_named_before_any_is_read(server, bucket):
    server.put(f'{bucket}/0.tar', b'\x1f\x8b' + bytes(600))
    with pytest.raises(ValueError, match=r's3://web/0.tar is compressed \(gz'):
        find_shards([f'{bucket}/*.tar'])
    with pytest.raises(
        ValueError, match=r's3://web/1.tar cannot be opened: N'
    ):
        find_shards([f'{bucket}/1.tar'])
    with pytest.raises(ValueError, match=r's3://web/none does not exist'):
        find_shards([f'{bucket}/none'])
    with pytest.raises(RemoteError, match=r'the bucket s3://none does not e'):
        find_shards(['s3://none/*.tar'])


def test_a_failing_server_ends_the_run_and_the_next_one_resumes(
    server, bucket, tmp_path, monkeypatch
):
    """Broken tars are listed; a broken network must not shorten a store."""
    monkeypatch.setattr(remote_calls, 'TRIES', 2)
    write_tars(tmp_path / 'web')
    server.upload(tmp_path / 'web', f'{bucket}/web')
    shards = find_shards([f'{bucket}/web'])
    with (
        server.fail('status', path='00001.tar'),
        pytest.raises(
            RemoteError,
            match=r'^s3://web/web/00001.tar cannot be read: the server answ'
            r'ered with status 500 \(2 tries in .*then start the same command'
            r' again$',
        ),
    ):
        embed(shards, tmp_path / 'store')
    assert not (tmp_path / 'store/store.json').exists()
    store = embed(shards, tmp_path / 'store')
    assert len(store) == 12
    assert not any(part.bad for part in store.parts)
    assert open_store(tmp_path / 'store').fingerprint == store.fingerprint


def test_faults_that_pass_change_no_byte(
    server, bucket, tmp_path, monkeypatch
):
    monkeypatch.setattr(remote_reader, 'BLOCK_BYTES', 2000)
    write_tars(tmp_path / 'web')
    server.upload(tmp_path / 'web', f'{bucket}/web')
    local = embed(find_shards([str(tmp_path / 'web')]), tmp_path / 'local')
    shards = find_shards([f'{bucket}/web'])
    for kind in ('status', 'truncate'):
        with server.fail(kind, path='.tar', times=5):
            store = embed(shards, tmp_path / kind)
        assert read_store(store) == read_store(local)

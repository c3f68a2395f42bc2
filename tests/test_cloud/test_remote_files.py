import errno
import io
import os
import pickle

import numpy as np
import pytest
from object_store import KEY, SECRET, bucket, server

from ltvl_mm.structures.class_names import load_class_names
from ltvl_mm.utils import remote_calls, remote_files, remote_reader
from ltvl_mm.utils.io import (
    atomic_write,
    check_or_write_settings,
    hash_file,
    read_arrays,
    read_json,
    write_arrays,
    write_json,
)
from ltvl_mm.utils.regular_files import (
    check_regular,
    open_regular,
    read_regular,
)
from ltvl_mm.utils.remote_errors import RemoteError
from ltvl_mm.utils.remote_paths import as_path

__all__ = ['bucket', 'server']


def test_writes_and_reads_an_object(bucket):
    path = as_path(f'{bucket}/a/b.json')
    assert not path.exists()
    assert not path.parent.exists()
    write_json(path, {'one': 1})
    assert read_json(path) == {'one': 1}
    assert path.is_file()
    assert not path.is_dir()
    assert path.parent.is_dir()
    assert not path.parent.is_file()
    check_regular(path)
    assert read_regular(str(path), max_bytes=2, cut=True) == b'{\n'
    with pytest.raises(ValueError, match='has 14 bytes, but at most 2'):
        read_regular(path, max_bytes=2)
    path.unlink()
    path.unlink(missing_ok=True)
    with pytest.raises(FileNotFoundError):
        path.unlink()
    with pytest.raises(ValueError, match=r's3://web/a/b.json does not exist'):
        read_json(path)
    with pytest.raises(FileNotFoundError):
        open_regular(path)


def test_an_interrupted_write_leaves_the_old_object(bucket):
    path = f'{bucket}/a'
    with atomic_write(path) as file:
        file.write(b'old')
    writing = atomic_write(path)
    writing.__enter__().write(b'new')
    error = KeyboardInterrupt()
    assert not writing.__exit__(type(error), error, None)
    assert read_regular(path) == b'old'


def test_a_full_disk_names_the_object_and_the_temporary_folder(bucket):
    with (
        pytest.raises(
            OSError,
            match=rf'temporary file of {bucket}/a in TMPDIR .*disk is full',
        ),
        atomic_write(f'{bucket}/a'),
    ):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
    assert not as_path(f'{bucket}/a').exists()


def test_class_names_are_read_from_an_object(server, bucket):
    url = server.put(f'{bucket}/names.txt', b'cat\r\nowl\r\n')
    assert load_class_names(url) == ('cat', 'owl')
    with pytest.raises(ValueError, match=r's3://web/no.txt does not exist'):
        load_class_names(f'{bucket}/no.txt')


def test_arrays_settings_and_digests(bucket, tmp_path):
    write_arrays(f'{bucket}/a.npz', x=np.arange(5))
    write_arrays(tmp_path / 'a.npz', x=np.arange(5))
    found = read_arrays(f'{bucket}/a.npz', ['x'], made_by='')['x']
    assert found.tolist() == [0, 1, 2, 3, 4]
    assert hash_file(f'{bucket}/a.npz') == hash_file(tmp_path / 'a.npz')
    check_or_write_settings(f'{bucket}/out', {'a': 1})
    with pytest.raises(ValueError, match=r's3://web/out was begun with anoth'):
        check_or_write_settings(f'{bucket}/out', {'a': 2})


def test_reads_at_any_position(server, bucket, monkeypatch):
    monkeypatch.setattr(remote_reader, 'BLOCK_BYTES', 100)
    data = np.random.default_rng(0).bytes(1234)
    server.put(f'{bucket}/data', data)
    rng = np.random.default_rng(1)
    with open_regular(f'{bucket}/data') as file:
        local = io.BytesIO(data)
        for _ in range(50):
            start, size = map(int, rng.integers(0, 1300, 2))
            file.seek(start)
            local.seek(start)
            assert file.read(size) == local.read(size)
            assert file.tell() == local.tell()
        assert file.seek(-10, os.SEEK_END) == 1224
        assert file.read() == data[-10:]
        assert file.read() == b''


def test_prefetch_is_parallel_and_bounded(server, bucket, monkeypatch):
    monkeypatch.setattr(remote_reader, 'BLOCK_BYTES', 1000)
    monkeypatch.setattr(remote_reader, '_BUFFER_BYTES', 100)
    server.put(f'{bucket}/data', bytes(100_000))
    reader = remote_reader.RemoteReader(f'{bucket}/data', 100_000)
    held = []
    while reader.read(100):
        held.append(len(reader._blocks))
    assert max(held) <= remote_reader.AHEAD + remote_reader.KEPT
    asked = [r for method, _, r in server.requests if method == 'GET']
    assert len(asked) == 100  # each block once
    server.requests.clear()
    with open_regular(f'{bucket}/data') as file:  # no prefetch for one look
        file.seek(50_000)
        file.read(10)
    assert [r for m, _, r in server.requests if m == 'GET'] == [
        'bytes=50000-50999'
    ]


def test_globs_and_lists(server, bucket):
    for name in ('a/2.tar', 'a/10.tar', 'a/b/1.tar', 'a/x.txt', 'c.tar'):
        server.put(f'{bucket}/{name}', b'1')
    assert remote_files.expand_remote(f'{bucket}/a/*.tar') == [
        's3://web/a/10.tar',
        's3://web/a/2.tar',
    ]
    assert list(map(str, as_path(f'{bucket}/a').glob('*.txt'))) == [
        's3://web/a/x.txt'
    ]
    assert remote_files.list_objects(f'{bucket}/a') == [
        '10.tar',
        '2.tar',
        'b/1.tar',
        'x.txt',
    ]
    assert remote_files.list_objects(f'{bucket}/none') == []
    as_path(f'{bucket}/c.tar').replace(as_path(f'{bucket}/d.tar'))
    remote_files.delete_folder(f'{bucket}/a')
    assert remote_files.list_objects(bucket) == ['d.tar']


@pytest.mark.parametrize('kind', ['status', 'truncate', 'slow'])
def test_a_passing_fault_is_tried_again(server, bucket, kind):
    server.put(f'{bucket}/data', b'12345678')
    with server.fail(kind, times=2):
        assert read_regular(f'{bucket}/data') == b'12345678'
    if kind != 'truncate':
        with server.fail(kind, methods=('PUT',), times=1):
            write_json(f'{bucket}/new', 1)
        assert read_json(f'{bucket}/new') == 1


def test_the_last_error_names_no_credentials(
    server, bucket, monkeypatch, caplog
):
    monkeypatch.setattr(remote_calls, 'TRIES', 2)
    server.put(f'{bucket}/data', b'12345678')
    texts = []
    for kind in ('status', 'truncate', 'slow'):
        with server.fail(kind), pytest.raises(RemoteError) as error:
            read_regular(f'{bucket}/data')
        texts.append(str(error.value))
    monkeypatch.setenv('AWS_SECRET_ACCESS_KEY', 'wrong')
    with pytest.raises(RemoteError) as error, server.fail('status'):
        write_json('s3://none/x', 1)
    texts.append(str(error.value))
    assert all('s3://' in text for text in texts)
    printed = ' '.join([*texts, caplog.text])
    for secret in (KEY, SECRET, 'Signature', 'Authorization', 'wrong'):
        assert secret not in printed


def test_a_bucket_that_vanishes_is_not_a_missing_file(server, bucket):
    server.put(f'{bucket}/data', b'12345678')
    with open_regular(f'{bucket}/data') as file:
        server.remove_bucket('web')
        with pytest.raises(RemoteError, match='bucket s3://web does not exis'):
            file.read()
    with pytest.raises(RemoteError, match='bucket s3://web does not exist'):
        as_path(f'{bucket}/data').exists()
    with pytest.raises(RemoteError, match='bucket s3://web does not exis'):
        write_json(f'{bucket}/data', 1)


def test_an_object_that_vanishes_is_no_end_of_file(server, bucket):
    server.put(f'{bucket}/data', b'12345678')
    with open_regular(f'{bucket}/data') as file:
        as_path(f'{bucket}/data').unlink()
        with pytest.raises(RemoteError, match='data cannot be read: it was d'):
            file.read()


def test_reads_in_a_fork_after_the_parent_has_read(server, bucket):
    server.put(f'{bucket}/data', b'12345678')
    assert read_regular(f'{bucket}/data') == b'12345678'
    with open_regular(f'{bucket}/data') as file:
        assert file.read() == b'12345678'
    child = os.fork()
    if child == 0:
        with open_regular(f'{bucket}/data') as file:
            os._exit(file.read() != b'12345678')
    assert os.waitpid(child, 0)[1] == 0


def test_paths_are_pickled(bucket):
    path = as_path(f'{bucket}/a/b.tar')
    assert pickle.loads(pickle.dumps(path)) == path
    assert str(pickle.loads(pickle.dumps(path))) == 's3://web/a/b.tar'

"""Retrieve from and to an S3 server, and train on what lies there."""

from dataclasses import replace

import numpy as np
import pytest
from object_store import bucket, server
from PIL import Image
from small_inputs import PIPELINE, write_manifest
from test_retrieval.web_memory import ENCODER, embed, save, write_tar

from ltvl_mm.datasets.retrieved import RetrievedDataset
from ltvl_mm.datasets.tackle import TACKLEDataset
from ltvl_mm.retrieval.dedup.near_duplicates import CopyRule
from ltvl_mm.retrieval.options import RetrievalOptions
from ltvl_mm.retrieval.reading.shards import find_shards
from ltvl_mm.retrieval.run_retrieval import run_retrieval
from ltvl_mm.retrieval.task import RetrievalTask
from ltvl_mm.structures.class_queries import ClassQueries
from ltvl_mm.structures.manifest_file import load_manifest
from ltvl_mm.structures.store_reader import open_store
from ltvl_mm.utils import remote_calls
from ltvl_mm.utils.remote_errors import RemoteError
from ltvl_mm.utils.remote_files import list_objects
from ltvl_mm.utils.remote_paths import as_path

__all__ = ['bucket', 'server']

NAMES = ('red', 'green', 'blue')
QUERIES = ClassQueries(
    NAMES, ('a {}',), np.eye(3, 4, dtype=np.float32), ENCODER
)
RULE = CopyRule(0.9, 10)


def paint(label, pattern):
    """Return an image of a class with a pattern of its own."""
    noise = np.random.default_rng(pattern).uniform(-40, 40, (8, 8, 1))
    noise = np.kron(noise - noise.mean(), np.ones((4, 4, 1)))
    color = np.full(3, 100.0 - pattern)
    color[label] = 160 + pattern
    return save(Image.fromarray((color + noise).round().astype(np.uint8)))


@pytest.fixture
def web(server, bucket, tmp_path):
    for number in range(3):
        members = [
            (f'{label}.jpg', paint(label, 3 * number + label))
            for label in range(3)
        ]
        write_tar(tmp_path / f'web/{number}.tar', members)
    server.upload(tmp_path / 'web', f'{bucket}/web')
    embed(find_shards([f'{bucket}/web/*.tar']), f'{bucket}/store')
    return tmp_path


def retrieve(store, out, **options):
    options = RetrievalOptions(
        temperature=0.05, duplicates=RULE, exclude=RULE, **options
    )
    task = RetrievalTask(
        open_store(store), QUERIES, np.array([2, 2, 2]), [], options
    )
    return run_retrieval(task, out)[0]


def read_local(folder):
    return {
        file.relative_to(folder).as_posix(): file.read_bytes()
        for file in folder.rglob('*')
        if file.is_file()
    }


@pytest.mark.parametrize('copy', ['folder', 'tar', 'none'])
def test_a_remote_retrieval_has_the_bytes_of_a_local_one(
    server, bucket, web, copy
):
    manifest = retrieve(f'{bucket}/store', f'{bucket}/out', copy=copy)
    assert manifest.count_classes().tolist() == [2, 2, 2]
    retrieve(f'{bucket}/store', web / 'out', copy=copy)
    found = server.read_folder(f'{bucket}/out')
    assert found == read_local(web / 'out')
    assert not any(name.startswith('selection') for name in found)
    server.requests.clear()
    again = retrieve(f'{bucket}/store', f'{bucket}/out', copy=copy)
    assert again.key == manifest.key
    assert not [path for m, path, _ in server.requests if '/img_emb/' in path]


def test_a_run_that_fails_is_resumed(server, bucket, web, monkeypatch):
    monkeypatch.setattr(remote_calls, 'TRIES', 2)
    due = retrieve(f'{bucket}/store', web / 'out')
    with (
        server.fail('status', methods=('PUT',), path='images/00001'),
        pytest.raises(RemoteError, match=r'out/images/00001/.* cannot be wri'),
    ):
        retrieve(f'{bucket}/store', f'{bucket}/out')
    names = list_objects(f'{bucket}/out')
    assert 'images/00000/00001.jpg' in names
    assert 'manifest.parquet' not in names
    # Uploads run side by side: what is left is of any tar.
    with (
        server.fail('truncate', path='/web/web/'),
        pytest.raises(RemoteError, match=r'web/\d.tar cannot .* truncated'),
    ):
        retrieve(f'{bucket}/store', f'{bucket}/out')
    found = retrieve(f'{bucket}/store', f'{bucket}/out')
    assert found.key == due.key
    assert load_manifest(f'{bucket}/out/manifest.parquet').file == due.file


def load(dataset):
    return [dataset[index]['inputs'].tolist() for index in range(len(dataset))]


@pytest.mark.parametrize('copy', ['folder', 'tar'])
def test_training_reads_images_from_the_server(
    server, bucket, web, target, copy
):
    retrieve(f'{bucket}/store', web / 'out')
    retrieve(f'{bucket}/store', f'{bucket}/out', copy=copy)
    local = RetrievedDataset(
        str(web / 'out/manifest.parquet'), pipeline=PIPELINE
    )
    server.requests.clear()
    dataset = RetrievedDataset(
        f'{bucket}/out/manifest.parquet', pipeline=PIPELINE
    )
    assert load(dataset) == load(local)
    if copy == 'tar':
        read = [r for m, p, r in server.requests if p.endswith('images.tar')]
        assert all(read[1:])  # ranges
    joined = TACKLEDataset.from_retrieval(
        target, f'{bucket}/out', class_names=NAMES
    )
    assert len(joined) == 12
    assert joined[11]['inputs'].tolist() == load(local)[-1]
    assert joined.get_data_info(11)['img_path'].startswith('s3://web/out/')


def test_a_server_that_fails_does_not_replace_images(
    server, bucket, web, monkeypatch
):
    monkeypatch.setattr(remote_calls, 'TRIES', 2)
    retrieve(f'{bucket}/store', f'{bucket}/out', copy='tar')
    dataset = RetrievedDataset(
        f'{bucket}/out/manifest.parquet', pipeline=PIPELINE
    )
    with (
        server.fail('status'),
        pytest.raises(RemoteError, match=r'out/images.tar .* status 500'),
    ):
        dataset[0]
    server.remove_bucket('web')
    with pytest.raises(RemoteError, match='the bucket s3://web does not exi'):
        dataset[0]


def test_an_index_of_other_images_is_refused(server, bucket, web):
    retrieve(f'{bucket}/store', f'{bucket}/out', copy='tar')
    manifest = f'{bucket}/out/manifest.parquet'
    as_path(f'{bucket}/out/images.parquet').unlink()
    with pytest.raises(ValueError, match=r'images.tar has no index s3://web/'):
        RetrievedDataset(manifest, pipeline=PIPELINE)
    server.put(f'{bucket}/out/images.parquet', b'PAR1')
    with pytest.raises(ValueError, match=r'images.parquet cannot be read'):
        RetrievedDataset(manifest, pipeline=PIPELINE)
    write_manifest(web / 'other', NAMES, [0, 1, 2])
    server.upload(web / 'other', f'{bucket}/other')
    for name in ('images.tar', 'images.parquet'):
        data = read_local_retrieval(web, bucket)[name]
        server.put(f'{bucket}/other/{name}', data)
    with pytest.raises(ValueError, match=r'not the index of the manifest'):
        RetrievedDataset(f'{bucket}/other/manifest.parquet', pipeline=PIPELINE)


def read_local_retrieval(web, bucket):
    retrieve(f'{bucket}/store', web / 'packed', copy='tar')
    return read_local(web / 'packed')


@pytest.mark.parametrize('file', ['../x.jpg', '/x.jpg', 's3://web/b/x.jpg'])
def test_no_file_of_a_manifest_leaves_its_folder(tmp_path, file):
    manifest = load_manifest(write_manifest(tmp_path, NAMES, [0, 1, 2]))
    with pytest.raises(ValueError, match='leaves the folder'):
        replace(manifest, file=(file, 'b.jpg', 'c.jpg'))

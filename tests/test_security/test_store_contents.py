"""Missing and repeated keys of stores, and retrievals that leave nothing."""

import shutil
from dataclasses import replace
from functools import partial

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from small_stores import ENCODER, QUERIES, retrieve_two, write_store

from ltvl_mm.datasets.retrieved import RetrievedDataset
from ltvl_mm.retrieval.metadata_filter import MetadataRule
from ltvl_mm.retrieval.run_retrieval import run_retrieval
from ltvl_mm.retrieval.task import RetrievalOptions, RetrievalTask
from ltvl_mm.structures import store_index
from ltvl_mm.structures.manifest import Manifest
from ltvl_mm.structures.manifest_file import load_manifest, save_manifest
from ltvl_mm.structures.store_check import check_store
from ltvl_mm.structures.store_index import index_store
from ltvl_mm.structures.store_reader import open_store


@pytest.fixture
def web(tmp_path):
    return write_store(tmp_path / 'web').root


@pytest.fixture
def held_out(tmp_path):
    return write_store(tmp_path / 'held_out', (7,), 'test').root


@pytest.fixture
def run(web, held_out, tmp_path):
    return partial(retrieve_two, web, held_out, tmp_path / 'out')


# Keys.


def _replace_keys(root, change):
    """Write other keys into the second part, without records."""
    file = root / 'metadata/metadata_1.parquet'
    table = pq.read_table(file)
    keys = change(table['image_path'].to_pylist())
    place = table.column_names.index('image_path')
    table = table.set_column(place, 'image_path', pa.array(keys, pa.string()))
    pq.write_table(table, file)
    for name in ('parts', 'store.json', 'settings.json', 'bad_images.json'):
        path = root / name
        shutil.rmtree(path) if path.is_dir() else path.unlink()


@pytest.fixture
def index_unchecked(monkeypatch):
    """Index a store as earlier versions did, which did not check keys."""
    monkeypatch.setattr(store_index, 'check_store', lambda *_, **__: None)
    return lambda root: index_store(root, ENCODER)


def _repeat(keys):
    return [*keys[:3], 'shard-0/2', *keys[4:]]


def _lose(keys):
    return [*keys[:4], None, None]


WRONG_KEYS = {
    _repeat: (
        r"key 'shard-0/2' is repeated .* row 2 of .*_0\.parquet and row 3 of "
        r'.*_1\.parquet'
    ),
    _lose: r'metadata_1\.parquet, row 4: the key is null \(2 such rows\)',
}


@pytest.mark.parametrize('change', WRONG_KEYS)
def test_index_is_not_written_over_wrong_keys(web, change):
    _replace_keys(web, change)
    with pytest.raises(ValueError, match=WRONG_KEYS[change]):
        index_store(web, ENCODER)
    assert not (web / 'store.json').exists()


@pytest.mark.parametrize('change', WRONG_KEYS)
def test_refuses_wrong_keys_before_the_scan(
    web, run, tmp_path, change, index_unchecked
):
    _replace_keys(web, change)
    index_unchecked(web)
    with pytest.raises(ValueError, match=WRONG_KEYS[change]):
        run()
    assert not (tmp_path / 'out' / 'selection').exists()


def test_repeated_keys_of_test_images_are_refused(held_out, run):
    store = open_store(held_out)
    twice = replace(store, parts=store.parts * 2)
    with pytest.raises(ValueError, match=r"'test-7/\d' is repeated"):
        check_store(twice)


# Retrievals that leave nothing.


def test_names_what_removed_all_images(web, tmp_path):
    task = RetrievalTask(
        open_store(web),
        QUERIES,
        np.array([2, 2]),
        [open_store(write_store(tmp_path / 'same').root)],
        RetrievalOptions(temperature=0.1, copy='none'),
    )
    match = (
        r'from the 12 images of the store\. Removed by: near-duplicates of '
        r'excluded images \(12 images\)\. Exclude other stores, or'
    )
    with pytest.raises(ValueError, match=match):
        run_retrieval(task, tmp_path / 'out')
    assert (tmp_path / 'out' / 'report.json').exists()
    assert not (tmp_path / 'out' / 'manifest.parquet').exists()


def test_names_the_filter_that_removed_all_images(web, tmp_path):
    rule = MetadataRule(min_size=10)
    options = RetrievalOptions(
        temperature=0.1, copy='none', metadata_filter=rule
    )
    task = RetrievalTask(
        open_store(web), QUERIES, np.array([2, 2]), [], options
    )
    match = r'Removed by: the filter .* \(12 images\)\. Loosen'
    with pytest.raises(ValueError, match=match):
        run_retrieval(task, tmp_path / 'out')


def test_refuses_to_train_on_a_manifest_without_images(tmp_path):
    rows, numbers = np.empty(0, np.int32), np.empty(0)
    manifest = Manifest(
        ('a', 'b'), rows, rows, numbers, numbers, [], [], [], {}
    )
    save_manifest(tmp_path / 'manifest.parquet', manifest)
    assert len(load_manifest(tmp_path / 'manifest.parquet')) == 0
    with pytest.raises(ValueError, match=r'manifest\.parquet lists no images'):
        RetrievedDataset(str(tmp_path / 'manifest.parquet'), pipeline=[])
    with pytest.raises(ValueError, match='names no classes'):
        replace(manifest, class_names=())

"""Tampered, mixed and half-recorded stores are refused or named."""

import hashlib
import json
import shutil
from dataclasses import replace

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import xxhash

from ltvl_mm.datasets.retrieved import RetrievedDataset
from ltvl_mm.retrieval import preconditions
from ltvl_mm.retrieval.admission import AdmissionRule
from ltvl_mm.retrieval.retrieve import retrieve
from ltvl_mm.retrieval.task import RetrievalOptions, RetrievalTask
from ltvl_mm.structures import store_index
from ltvl_mm.structures.class_queries import ClassQueries
from ltvl_mm.structures.manifest import Manifest, load_manifest, save_manifest
from ltvl_mm.structures.store_check import check_store
from ltvl_mm.structures.store_index import index_store
from ltvl_mm.structures.store_opening import open_store
from ltvl_mm.structures.store_parts import METADATA
from ltvl_mm.structures.store_writer import (
    begin_store,
    finish_store,
    write_part,
)
from ltvl_mm.utils.io import hash_content

ENCODER = {'arch': 'a', 'weights': 'w', 'preprocess': 'p'}
QUERIES = ClassQueries(
    ('one', 'two'), ('{}',), np.eye(2, 4, dtype='f4'), ENCODER
)
ROWS = 6


def _unit(seed, rows=ROWS):
    x = np.random.default_rng(seed).normal(size=(rows, 4))
    return (x / np.linalg.norm(x, axis=1, keepdims=True)).astype(np.float16)


def _write(root, seeds=(0, 1), name='shard'):
    """Write a store with a part of six rows for each seed."""
    store = begin_store(root, {'encoder': ENCODER})
    parts = []
    for number, seed in enumerate(seeds):
        columns = {key: [''] * ROWS for key in METADATA.names}
        columns |= {key: [0] * ROWS for key in ('offset', 'size', 'phash')}
        columns['image_path'] = [f'{name}-{seed}/{n}' for n in range(ROWS)]
        part = write_part(
            root,
            len(seeds),
            number,
            f'{name}-{seed}',
            _unit(seed),
            columns,
            [],
            store=store,
        )
        parts.append(part)
    return finish_store(root, ENCODER, 4, parts)


@pytest.fixture
def web(tmp_path):
    return _write(tmp_path / 'web').root


@pytest.fixture
def held_out(tmp_path):
    return _write(tmp_path / 'held_out', (7,), 'test').root


@pytest.fixture
def run(web, held_out, tmp_path):
    def run(**how):
        options = RetrievalOptions(temperature=0.1, copy='none')
        task = RetrievalTask(
            open_store(web),
            QUERIES,
            np.array([2, 2]),
            [open_store(held_out)],
            options,
            **how,
        )
        return retrieve(task, tmp_path / 'out')[0]

    return run


@pytest.fixture
def warnings(monkeypatch):
    """Messages of the checks, in their order."""
    found = []
    monkeypatch.setattr(
        preconditions, 'print_log', lambda text, *_, **__: found.append(text)
    )
    return found


def _permute_metadata(root, file='metadata/metadata_1.parquet'):
    table = pq.read_table(root / file)
    pq.write_table(table.take(np.roll(np.arange(len(table)), 1)), root / file)


def _permute_embeddings(root, file='img_emb/img_emb_1.npy'):
    np.save(root / file, np.roll(np.load(root / file), 1, axis=0))


def _change_a_key(root):
    file = root / 'metadata/metadata_1.parquet'
    table = pq.read_table(file)
    place = table.column_names.index('image_path')
    keys = ['shard-1/x', *table['image_path'].to_pylist()[1:]]
    pq.write_table(table.set_column(place, 'image_path', pa.array(keys)), file)


def _flip_a_bit(root):
    file = root / 'img_emb/img_emb_1.npy'
    data = bytearray(file.read_bytes())
    data[-1] ^= 1
    file.write_bytes(data)


def _copy_foreign_part(root, other='foreign', number=1):
    other = _write(root.parent / other, (8, 9)).root
    for name in ('img_emb', 'metadata', 'parts'):
        for file in (other / name).glob('*_0.*'):
            to = file.name.replace('_0.', f'_{number}.')
            shutil.copy(file, root / name / to)


def _swap_parts(root):
    for name in ('img_emb', 'metadata', 'parts'):
        (zero,) = (root / name).glob('*_0.*')
        one = zero.with_name(zero.name.replace('_0.', '_1.'))
        content = zero.read_bytes(), one.read_bytes()
        one.write_bytes(content[0])
        zero.write_bytes(content[1])


def _drop_fast_digests(root):
    """Make it a store of a version that recorded sha256 only."""
    digests = []
    for file in sorted(root.glob('parts/*.json')):
        record = json.loads(file.read_text())
        del record['matrix_xxh3'], record['table_xxh3']
        file.write_text(json.dumps(record))
        digests.append(hash_content(record))
    header = json.loads((root / 'store.json').read_text())
    header['records'] = digests
    (root / 'store.json').write_text(json.dumps(header))


def _forget_records(root):
    """Make it a store of an earlier version."""
    header = json.loads((root / 'store.json').read_text())
    del header['records']
    (root / 'store.json').write_text(json.dumps(header | {'format': 1}))
    for number, file in enumerate(sorted(root.glob('parts/*.json'))):
        record = json.loads(file.read_text())
        for name in (
            'table_sha256',
            'matrix_xxh3',
            'table_xxh3',
            'binding',
            'store',
            'source',
        ):
            del record[name]
        file.write_text(json.dumps(record | {'number': number}))


TAMPERED = {
    _permute_metadata: r'metadata_1\.parquet \(shard .shard-1.\) is not the',
    _change_a_key: r'metadata_1\.parquet \(shard .shard-1.\) is not the',
    _permute_embeddings: r'img_emb_1\.npy \(shard .shard-1.\) is not the',
    _flip_a_bit: r'img_emb_1\.npy \(shard .shard-1.\) is not the',
    _copy_foreign_part: r'part_1\.json \(shard .shard-8.\) is not the record',
    _swap_parts: r'part_0\.json \(shard .shard-1.\) is not the record',
}


@pytest.mark.parametrize('tamper', TAMPERED)
def test_refuses_a_tampered_store_before_anything_is_retrieved(
    web, run, tmp_path, tamper
):
    tamper(web)
    with pytest.raises(ValueError, match=TAMPERED[tamper]):
        run()
    assert not list((tmp_path / 'out').glob('*.parquet'))
    assert not (tmp_path / 'out' / 'selection').exists()


def test_refuses_a_tampered_store_of_test_images(held_out, run):
    _permute_metadata(held_out, 'metadata/metadata_0.parquet')
    with pytest.raises(ValueError, match=r'held_out/metadata/metadata_0'):
        run()


def test_skips_checksums_if_asked_and_says_so(web, run, warnings):
    _permute_metadata(web)
    assert len(run(verify=False)) == 4
    assert 'the stores are not verified' in warnings[0]


def test_reads_a_store_of_an_earlier_version_as_far_as_recorded(
    web, run, warnings
):
    _forget_records(web)
    _permute_metadata(web)  # was never recorded
    assert len(run()) == 4
    due = 'recorded no checksums of: metadata (2 of 2 parts), keys'
    assert sum(due in text for text in warnings) == 1


def test_verifies_embeddings_of_an_earlier_version(web, run):
    _forget_records(web)
    _permute_embeddings(web)
    with pytest.raises(ValueError, match=r'img_emb_1\.npy'):
        run()


def test_records_a_fast_digest_of_each_file_and_verifies_by_it(web):
    part = open_store(web).parts[1]
    for file, sha256, xxh3 in (
        (part.matrix, part.matrix_sha256, part.matrix_xxh3),
        (part.table, part.table_sha256, part.table_xxh3),
    ):
        assert sha256 == hashlib.sha256(file.read_bytes()).hexdigest()
        assert xxh3 == xxhash.xxh3_128_hexdigest(file.read_bytes())
    store = open_store(web)
    # sha256 is not computed where the fast digest is recorded.
    other = [replace(part, matrix_sha256='0' * 64) for part in store.parts]
    check_store(replace(store, parts=tuple(other)))
    other = [replace(part, matrix_xxh3='0' * 32) for part in store.parts]
    with pytest.raises(ValueError, match=r'img_emb_0\.npy'):
        check_store(replace(store, parts=tuple(other)))


def test_verifies_records_without_a_fast_digest_by_sha256(web):
    _drop_fast_digests(web)
    check_store(open_store(web))
    _permute_metadata(web)
    with pytest.raises(ValueError, match=r'metadata_1\.parquet'):
        check_store(open_store(web))


@pytest.mark.parametrize('content', ['[]', '{}', '{"shard": 1}', 'x', '{"'])
def test_names_a_record_that_is_none(web, content):
    (web / 'parts/part_1.json').write_text(content)
    with pytest.raises(ValueError, match=r'part_1\.json is not'):
        open_store(web)


@pytest.mark.parametrize('content', ['[]', '{}', '{"indexed": [1]}', '{"'])
def test_names_a_header_that_is_none(web, content):
    (web / 'store.json').write_text(content)
    with pytest.raises(ValueError, match=r'store\.json is not'):
        open_store(web)


def test_refuses_a_header_with_fewer_records(web):
    header = json.loads((web / 'store.json').read_text())
    header['records'].pop()
    (web / 'store.json').write_text(json.dumps(header))
    with pytest.raises(ValueError, match='digests of 1 records for 2 parts'):
        open_store(web)


# Stores of other programs.


@pytest.fixture
def indexed(tmp_path):
    """A folder with files larger than what opening it reads."""
    root = tmp_path / 'indexed'
    for name in ('img_emb', 'metadata'):
        (root / name).mkdir(parents=True)
    np.save(root / 'img_emb/img_emb_0.npy', _unit(0, 30_000))
    keys = [f'{number:050d}' for number in range(30_000)]
    table = pa.table({'image_path': keys})
    file = root / 'metadata/metadata_0.parquet'
    pq.write_table(table, file, compression='none', use_dictionary=False)
    index_store(root, ENCODER)
    return root


@pytest.mark.parametrize(
    'file', ['img_emb/img_emb_0.npy', 'metadata/metadata_0.parquet']
)
def test_finds_a_change_in_the_middle_of_an_indexed_file(indexed, file):
    check_store(open_store(indexed))
    data = bytearray((indexed / file).read_bytes())
    middle = len(data) // 2
    data[middle : middle + 100], data[middle + 100 : middle + 200] = (
        data[middle + 100 : middle + 200],
        data[middle : middle + 100],
    )
    (indexed / file).write_bytes(data)
    store = open_store(indexed)
    with pytest.raises(ValueError, match=f'{file} .* checksum differs'):
        check_store(store)


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
        [open_store(_write(tmp_path / 'same').root)],
        RetrievalOptions(temperature=0.1, copy='none'),
    )
    match = (
        r'from the 12 images of the store\. Removed by: near-duplicates of '
        r'excluded images \(12 images\)\. Loosen'
    )
    with pytest.raises(ValueError, match=match):
        retrieve(task, tmp_path / 'out')
    assert (tmp_path / 'out' / 'report.json').exists()
    assert not (tmp_path / 'out' / 'manifest.parquet').exists()


def test_names_the_filter_that_removed_all_images(web, tmp_path):
    rule = AdmissionRule(min_size=10)
    options = RetrievalOptions(temperature=0.1, copy='none', admission=rule)
    task = RetrievalTask(
        open_store(web), QUERIES, np.array([2, 2]), [], options
    )
    match = r'Removed by: the filter .* \(12 images\)\. Loosen'
    with pytest.raises(ValueError, match=match):
        retrieve(task, tmp_path / 'out')


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

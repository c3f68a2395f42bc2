"""Tampered, mixed and half-recorded stores are refused or named."""

import hashlib
import json
from dataclasses import replace
from functools import partial

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import xxhash
from small_stores import (
    ENCODER,
    change_a_key,
    copy_foreign_part,
    drop_fast_digests,
    flip_a_bit,
    forget_records,
    make_unit,
    permute_embeddings,
    permute_metadata,
    retrieve_two,
    swap_parts,
    write_store,
)

from ltvl_mm.retrieval import preconditions
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


@pytest.fixture
def warnings(monkeypatch):
    """Messages of the checks, in their order."""
    found = []
    monkeypatch.setattr(
        preconditions, 'print_log', lambda text, *_, **__: found.append(text)
    )
    return found


TAMPERED = {
    permute_metadata: r'metadata_1\.parquet \(shard .shard-1.\) is not the',
    change_a_key: r'metadata_1\.parquet \(shard .shard-1.\) is not the',
    permute_embeddings: r'img_emb_1\.npy \(shard .shard-1.\) is not the',
    flip_a_bit: r'img_emb_1\.npy \(shard .shard-1.\) is not the',
    copy_foreign_part: r'part_1\.json \(shard .shard-8.\) is not the record',
    swap_parts: r'part_0\.json \(shard .shard-1.\) is not the record',
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
    permute_metadata(held_out, 'metadata/metadata_0.parquet')
    with pytest.raises(ValueError, match=r'held_out/metadata/metadata_0'):
        run()


def test_skips_checksums_if_asked_and_says_so(web, run, warnings):
    permute_metadata(web)
    assert len(run(verify=False)) == 4
    assert 'the stores are not verified' in warnings[0]


def test_reads_a_store_of_an_earlier_version_as_far_as_recorded(
    web, run, warnings
):
    forget_records(web)
    permute_metadata(web)  # was never recorded
    assert len(run()) == 4
    due = 'recorded no checksums of: metadata (2 of 2 parts), keys'
    assert sum(due in text for text in warnings) == 1


def test_verifies_embeddings_of_an_earlier_version(web, run):
    forget_records(web)
    permute_embeddings(web)
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
    drop_fast_digests(web)
    check_store(open_store(web))
    permute_metadata(web)
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
    np.save(root / 'img_emb/img_emb_0.npy', make_unit(0, 30_000))
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

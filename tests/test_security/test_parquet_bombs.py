"""Parquet files of kilobytes whose content would take gigabytes."""

import json

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from ltvl_mm.retrieval.reading.download_list import load_wanted
from ltvl_mm.retrieval.reading.parquet_rows import count_status
from ltvl_mm.structures.caption_index import load_caption_index
from ltvl_mm.structures.manifest import Manifest
from ltvl_mm.structures.manifest_file import load_manifest, save_manifest
from ltvl_mm.structures.store_files import read_columns
from ltvl_mm.utils.parquet_files import read_parquet

ROWS = 3000
TEXT = 'A' * 100_000  # times ROWS: 300 MB
KILOBYTE = TEXT[:1000]


def share(text=TEXT):
    """Return ROWS rows that share one text."""
    return pa.DictionaryArray.from_arrays(
        pa.array(np.zeros(ROWS, np.int32)), pa.array([text])
    )


def _share_one_text(path):
    pq.write_table(pa.table({'a': share()}), path)


def _share_it_without_arrow_schema(path):
    pq.write_table(pa.table({'a': share()}), path, store_schema=False)


def _compress_texts(path):
    pq.write_table(
        pa.table({'a': [KILOBYTE] * 300_000}),
        path,
        use_dictionary=False,
        compression='zstd',
    )


def _repeat_the_start_of_each(path):
    pq.write_table(
        pa.table({'a': [KILOBYTE] * 10}),
        path,
        use_dictionary=False,
        column_encoding={'a': 'DELTA_BYTE_ARRAY'},
    )


def _claim_rows(path):
    pq.write_table(pa.table({'a': pa.nulls(20_000_000, pa.int64())}), path)


def _nest(path):
    pq.write_table(pa.table({'a': [[KILOBYTE]] * 10}), path)


BOMBS = {
    _share_one_text: r'expands to 300,0\d\d,\d\d\d, more than 100 times',
    _share_it_without_arrow_schema: 'expands to 300,0',
    _compress_texts: 'expands to 301,',
    _repeat_the_start_of_each: "column 'a' is encoded as DELTA_BYTE_ARRAY",
    _claim_rows: 'expands to 160,000,000',
    _nest: "column 'a' holds list<",
}


@pytest.mark.parametrize('write', BOMBS)
def test_a_bomb_is_refused_before_it_takes_memory(write, tmp_path):
    write(tmp_path / 'a.parquet')
    assert (tmp_path / 'a.parquet').stat().st_size < 400_000
    before = pa.default_memory_pool().max_memory()
    with pytest.raises(ValueError, match=BOMBS[write]):
        read_parquet(tmp_path / 'a.parquet')
    assert pa.default_memory_pool().max_memory() - before < 60_000_000


def test_columns_are_those_of_pyarrow(tmp_path):
    words = ['x', 'y', None]
    table = pa.table(
        {
            'word': words,
            'codes': pa.array([5, 6, None]).dictionary_encode(),
            'shared': pa.array(words).dictionary_encode(),
            'large': pa.array(words, pa.large_string()),
            'bytes': pa.array([b'1', None, b'']),
            'number': pa.array([1, None, 3], pa.uint64()),
            'flag': [True, False, None],
            'null': pa.nulls(3),
        },
        metadata={'a': 'b'},
    )
    pq.write_table(table, tmp_path / 'a.parquet', row_group_size=2)
    found = read_parquet(tmp_path / 'a.parquet')
    assert found.to_pylist() == table.to_pylist()
    assert found.schema.metadata == {b'a': b'b'}
    assert found.schema.field('shared').type == pa.string()
    assert found.schema.field('large').type == pa.large_string()
    some = read_parquet(tmp_path / 'a.parquet', ['number', 'word'])
    assert some.column_names == ['number', 'word']
    assert len(read_parquet(tmp_path / 'a.parquet', [])) == 3
    pq.write_table(table.slice(0, 0), tmp_path / 'b.parquet')
    assert len(read_parquet(tmp_path / 'b.parquet')) == 0


def _read_manifest(path):
    rows = np.zeros(1, np.int32)
    save_manifest(
        path,
        Manifest(('a',), rows, rows, rows * 0.5, rows * 0.5, ['k'], ['f'],
                 ['c'], {}),
    )  # fmt: skip
    whole = pq.read_table(path)
    table = {
        name: pa.nulls(ROWS, whole.schema.field(name).type)
        for name in whole.column_names
    }
    schema = {'caption': share()}
    pq.write_table(
        pa.table(table | schema, metadata=whole.schema.metadata), path
    )
    load_manifest(path)


def _read_download_list(path):
    rows = np.zeros(1, np.int32)
    save_manifest(
        path.parent / 'manifest.parquet',
        Manifest(('a',), rows, rows, rows * 0.5, rows * 0.5, ['k'], ['f'],
                 ['c'], {}),
    )  # fmt: skip
    pq.write_table(
        pa.table({'key': share(), 'file': share()}),
        path.parent / 'download.parquet',
    )
    load_wanted(path.parent)


def _read_captions(path):
    folder = path.parent / 'index'
    (folder / 'shards').mkdir(parents=True)
    (folder / 'index.json').write_text(
        json.dumps({'format': 'ltvl_mm caption index 1', 'shards': ['s']})
    )
    numbers = pa.array(np.zeros(ROWS, np.int64))
    pq.write_table(
        pa.table(
            {name: share() for name in ('key', 'caption', 'source')}
            | {'offset': numbers, 'size': numbers}
        ),
        folder / 'shards/s.parquet',
    )
    load_caption_index(folder)


def _read_store(path):
    pq.write_table(pa.table({'key': ['k'] * ROWS, 'caption': share()}), path)
    read_columns(path, ['caption'], pa.schema([('caption', pa.string())]))


def _read_status(path):
    pq.write_table(pa.table({'status': share()}), path)
    count_status(path)


@pytest.mark.parametrize(
    'read',
    [
        _read_manifest,
        _read_download_list,
        _read_captions,
        _read_store,
        _read_status,
    ],
)
def test_all_readers_of_tables_measure_them(read, tmp_path):
    with pytest.raises(ValueError, match=r'parquet.* expands to [369]00,'):
        read(tmp_path / 'table.parquet')

"""Indexes of captioned images from strangers are data."""

import json
import os
import signal

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from ltvl_mm.apis.captions import index_captions
from ltvl_mm.datasets import CaptionedImages
from ltvl_mm.retrieval.reading.tar_format import write_tar
from ltvl_mm.structures.caption_index import load_caption_index

PIPELINE = [dict(type='ltvl_mm.LoadImage')]
IMAGE = (
    b'P6 2 1 255 ' + bytes(6)  # smallest image that is read without an encoder
)


@pytest.fixture
def web(tmp_path):
    """A tar of one captioned image, and its index."""
    with (tmp_path / 'a.tar').open('wb') as file:
        write_tar(file, [('1.ppm', IMAGE), ('1.txt', b'a cat')])
    index_captions(tmp_path / 'a.tar', tmp_path / 'index', workers=0)
    return tmp_path


@pytest.fixture(autouse=True)
def no_waiting():
    signal.alarm(60)  # ends the test if a reader waits
    yield
    signal.alarm(0)


def find(web, suffix):
    (file,) = (web / 'index/shards').glob(f'*{suffix}')
    return file


@pytest.mark.parametrize(
    'content',
    [
        '[]',
        '{"',
        '{"format": "ltvl_mm caption index 1"}',
        '{"format": "ltvl_mm caption index 1", "shards": 3}',
        '{"format": "ltvl_mm caption index 1", "shards": [null]}',
        '[' * 100_000,
    ],
)
def test_a_header_that_is_none_is_named(web, content):
    (web / 'index/index.json').write_text(content)
    with pytest.raises(ValueError, match=r'index\.json is not'):
        load_caption_index(web / 'index')


@pytest.mark.parametrize(
    'change',
    [
        {'images': '1'},
        {'images': -1},
        {'without_caption': None},
        {'bad': 3},
        {'bad': [['key']]},
        {'state': []},
        {'other': 1},
    ],
)
def test_a_record_that_is_none_is_named(web, change):
    record = find(web, '.json')
    content = json.loads(record.read_text())
    record.write_text(json.dumps(content | change))
    with pytest.raises(
        ValueError, match=rf'\.json is not the .*{next(iter(change))}'
    ):
        index_captions(web / 'a.tar', web / 'index', workers=0)


READ_BY = {
    'index.json': lambda web: load_caption_index(web / 'index'),
    '.parquet': lambda web: load_caption_index(web / 'index'),
    # A part's record is read when its tar is indexed again.
    '.json': lambda web: index_captions(
        web / 'a.tar', web / 'index', workers=0
    ),
}


@pytest.mark.parametrize('part', READ_BY)
def test_pipes_are_refused(web, part):
    file = web / 'index' / part if part[0] == 'i' else find(web, part)
    file.unlink()
    os.mkfifo(file)
    with pytest.raises(ValueError, match=r'named pipe|there is no'):
        READ_BY[part](web)


@pytest.mark.parametrize(
    ('change', 'message'),
    [
        ({'caption': None}, 'has rows without caption'),
        ({'offset': None}, 'has rows without offset'),
        ({'size': -1}, 'has a negative size'),
        ({'key': 3.5}, ''),
        ({'offset': 'x'}, 'cannot be read'),
    ],
)
def test_odd_rows_are_named(web, change, message):
    file = find(web, '.parquet')
    (row,) = pq.read_table(file).to_pylist()
    row |= change
    pq.write_table(pa.Table.from_pylist([row]), file)
    if message:
        with pytest.raises(ValueError, match=rf'\.parquet {message}'):
            load_caption_index(web / 'index')
    else:  # a number is a text, too
        assert load_caption_index(web / 'index').key[0] == '3.5'


def test_bytes_that_are_no_text_are_named(web):
    file = find(web, '.parquet')
    table = pq.read_table(file)
    number = table.column_names.index('caption')
    values = pa.array([b'a c\xcat']).view(pa.string())
    pq.write_table(table.set_column(number, 'caption', values), file)
    with pytest.raises(ValueError, match=r'\.parquet cannot be read .*UTF8'):
        load_caption_index(web / 'index')


@pytest.mark.parametrize(
    'change',
    [
        {'source': '/dev/zero'},
        {'source': 'pipe'},
        {'source': '/proc/self/environ', 'offset': 0, 'size': 100},
        {'size': 1 << 50},
        {'offset': 1 << 60},
    ],
)
def test_byte_ranges_of_strangers_are_bounded(web, change):
    os.mkfifo(web / 'pipe')
    if change.get('source') == 'pipe':
        change = {'source': str(web / 'pipe')}
    file = find(web, '.parquet')
    (row,) = pq.read_table(file).to_pylist()
    pq.write_table(pa.Table.from_pylist([row | change]), file)
    data = CaptionedImages(str(web / 'index'), pipeline=PIPELINE)
    with pytest.raises(RuntimeError, match='none of the 1 images'):
        data.prepare_data(0)

"""Every field of a store's JSON files is checked, and named when wrong."""

import json
import re
import shutil

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from ltvl_mm.structures.store_index import index_store
from ltvl_mm.structures.store_parts import METADATA
from ltvl_mm.structures.store_reader import open_store
from ltvl_mm.structures.store_writer import (
    begin_store,
    finish_store,
    write_part,
)

ENCODER = {'arch': 'a', 'weights': 'w', 'preprocess': 'p'}
NUMBERS = ['3', 3.0, float('nan'), -1, True, None, [3], {}, 1 << 60]
TEXTS = [3, None, True, ['a'], {}]
LISTS = ['a', 3, None, {}, [3], [None]]
# File -> field -> wrong values.
OWN = {
    'store.json': {
        'encoder': ['a', None, ['a'], {'arch': ['a']}],
        'dim': [*NUMBERS, 0],
        'rows': NUMBERS,
        'format': NUMBERS,
        'parts': [*NUMBERS, 0],
        'records': LISTS,
    },
    'parts/part_1.json': {
        'shard': TEXTS,
        'rows': NUMBERS,
        'sha256': TEXTS,
        'bad': [*LISTS, [['a']], [['a', 1]], ['ab']],
        'source': ['a', 3, ['a']],
        'store': TEXTS,
        'number': NUMBERS,
        'table_sha256': TEXTS,
        'binding': TEXTS,
        'matrix_xxh3': TEXTS,
        'table_xxh3': TEXTS,
        '\x1b[2J': ['not known'],
    },
}
INDEXED = {
    'rows': NUMBERS,
    'sha256': TEXTS,
    'matrix': TEXTS,
    'table': TEXTS,
    'matrix_sha256': TEXTS,
    'matrix_xxh3': TEXTS,
    'table_sha256': TEXTS,
    'table_xxh3': TEXTS,
    'binding': TEXTS,
}


@pytest.fixture(scope='module')
def original(tmp_path_factory):
    root = tmp_path_factory.mktemp('fields') / 'web'
    store = begin_store(root, {'encoder': ENCODER})
    parts = []
    for number in range(2):
        columns = {key: [''] * 3 for key in METADATA.names}
        columns |= {key: [0] * 3 for key in ('offset', 'size', 'phash')}
        columns['image_path'] = [f'{number}/{row}' for row in range(3)]
        parts.append(
            write_part(
                *(root, 2, number, f'shard-{number}'),
                np.eye(3, 4, dtype=np.float16),
                columns,
                [],
                store=store,
            )
        )
    return finish_store(root, ENCODER, 4, parts).root


@pytest.fixture(scope='module')
def web(original, tmp_path_factory):
    return shutil.copytree(original, tmp_path_factory.mktemp('copy') / 'web')


@pytest.fixture(scope='module')
def indexed(tmp_path_factory):
    root = tmp_path_factory.mktemp('indexed')
    np.save(root / 'a.npy', np.eye(3, 4, dtype=np.float16))
    pq.write_table(pa.table({'key': list('abc')}), root / 'a.parquet')
    return index_store(root, ENCODER).root


@pytest.mark.parametrize(
    ('name', 'field'), [(name, field) for name in OWN for field in OWN[name]]
)
def test_a_wrong_field_is_named_with_file_and_value(web, name, field):
    file = web / name
    before = file.read_text()
    try:
        for value in OWN[name][field]:
            _write(file, json.loads(before) | {field: value})
            message = _catch_message(web, file)
            assert repr(field)[1:-1] in message
            assert 'is not' in message or 'format is 1152' in message
            assert 'restore it' in message or 'update' in message
    finally:
        file.write_text(before)
    assert len(open_store(web)) == 6


@pytest.mark.parametrize('name', OWN)
def test_a_missing_field_is_named(web, name):
    file = web / name
    before = file.read_text()
    # null is the default of a part's source.
    optional = {'source'}
    if name == 'store.json':
        optional = {'rows', 'format', 'records'}
    try:
        for field in json.loads(before).keys() & OWN[name].keys():
            record = json.loads(before)
            del record[field]
            _write(file, record)
            if field in optional:
                assert len(open_store(web)) == 6
            else:
                # Optional fields of a part are part of its digest.
                assert re.search(
                    f'{field} is missing|is not the record that this store',
                    _catch_message(web, file),
                )
    finally:
        file.write_text(before)


@pytest.mark.parametrize('field', INDEXED)
def test_a_wrong_field_of_an_index_is_named(indexed, field):
    file = indexed / 'store.json'
    before = file.read_text()
    try:
        for value in INDEXED[field]:
            header = json.loads(before)
            header['indexed'][0][field] = value
            _write(file, header)
            assert f'indexed[0].{field} must be' in _catch_message(
                indexed, file
            )
    finally:
        file.write_text(before)


@pytest.mark.parametrize('value', [1, 'a', None, {}, [1], [[]]])
def test_an_index_that_is_no_list_of_objects_is_named(indexed, value):
    file = indexed / 'store.json'
    before = file.read_text()
    try:
        _write(file, json.loads(before) | {'indexed': value})
        assert 'indexed' in _catch_message(indexed, file)
    finally:
        file.write_text(before)


def test_other_numbers_of_rows_than_the_parts_have_are_refused(web):
    file = web / 'store.json'
    before = file.read_text()
    try:
        _write(file, json.loads(before) | {'rows': 7})
        assert 'rows is 7, but its parts have 6 rows' in _catch_message(
            web, file
        )
    finally:
        file.write_text(before)


def test_a_missing_part_is_named_with_the_remedy(web):
    file = web / 'parts/part_1.json'
    before = file.read_text()
    file.unlink()
    try:
        message = _catch_message(web, file)
        assert 'part 1 of 2 is missing' in message
        assert 'restore it' in message
        assert 'tools/embed_images.py again' in message
    finally:
        file.write_text(before)


def _write(file, content):
    file.write_text(json.dumps(content))


def _catch_message(root, file):
    """Return the message by which a store is refused."""
    with pytest.raises(ValueError, match=re.escape(str(file))) as caught:
        open_store(root)
    message = str(caught.value)
    assert len(message) < 600
    assert message.isprintable()
    return message

import json
import os
from dataclasses import fields, replace

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from ltvl_mm.structures.class_names import hash_class_names
from ltvl_mm.structures.manifest import Manifest
from ltvl_mm.structures.manifest_file import load_manifest, save_manifest

NAMES = ('cat', 'dog', 'crème brûlée')
# No image was found for 'dog'; one image serves two classes.
MANIFEST = Manifest(
    class_names=NAMES,
    class_id=np.array([0, 0, 2], np.int32),
    rank=np.array([0, 1, 0], np.int32),
    score=np.array([3.5, -1.25, 0.1]),
    cosine=np.array([0.3, 0.2, 0.25]),
    key=('00000/a', '00000/b', '00000/a'),
    file=('images/0/0.jpg', 'images/0/1.jpg', 'images/2/0.jpg'),
    caption=('a cat', '', 'un café'),
    source={'temperature': 0.01, 'budget': [2, 1, 1]},
)


def test_a_saved_manifest_comes_back_as_it_was(tmp_path):
    save_manifest(tmp_path / 'm.parquet', MANIFEST)
    found = load_manifest(tmp_path / 'm.parquet')
    assert found.name == f'the manifest {tmp_path / "m.parquet"}'
    found = replace(found, name=MANIFEST.name)
    for field in fields(Manifest):
        old, new = getattr(MANIFEST, field.name), getattr(found, field.name)
        assert np.array_equal(old, new), field.name
    assert os.listdir(tmp_path) == ['m.parquet']


def test_a_manifest_has_the_bytes_that_pyarrow_writes(tmp_path):
    save_manifest(tmp_path / 'm.parquet', MANIFEST)
    header = {
        'class_names': list(NAMES),
        'class_names_sha256': hash_class_names(NAMES),
        'format': 1,
        'source': {'budget': [2, 1, 1], 'temperature': 0.01},
    }
    columns = {
        'class_id': pa.array([0, 0, 2], pa.int32()),
        'rank': pa.array([0, 1, 0], pa.int32()),
        'score': pa.array([3.5, -1.25, 0.1]),
        'cosine': pa.array([0.3, 0.2, 0.25]),
        'key': pa.array(['00000/a', '00000/b', '00000/a']),
        'file': pa.array(
            ['images/0/0.jpg', 'images/0/1.jpg', 'images/2/0.jpg']
        ),
        'caption': pa.array(['a cat', '', 'un café']),
    }
    table = pa.table(columns).replace_schema_metadata(
        {'ltvl_mm': json.dumps(header)}
    )
    pq.write_table(table, tmp_path / 'plain.parquet', compression='zstd')
    written = (tmp_path / 'm.parquet').read_bytes()
    assert written == (tmp_path / 'plain.parquet').read_bytes()
    # Read and written again, it stays the same.
    save_manifest(
        tmp_path / 'again.parquet', load_manifest(tmp_path / 'm.parquet')
    )
    assert (tmp_path / 'again.parquet').read_bytes() == written


def test_an_empty_manifest_comes_back_too(tmp_path):
    none = np.empty(0, np.int32)
    empty = Manifest(
        NAMES, none, none, none / 1.0, none / 1.0, (), (), (), source={}
    )
    save_manifest(tmp_path / 'm.parquet', empty)
    found = load_manifest(tmp_path / 'm.parquet')
    assert len(found) == 0
    assert found.count_classes().tolist() == [0, 0, 0]


def test_classes_without_images_count_zero():
    assert len(MANIFEST) == 3
    assert MANIFEST.count_classes().tolist() == [2, 0, 1]


@pytest.mark.parametrize(
    ('column', 'value', 'message'),
    [
        ('caption', ('a',), 'columns differ in length'),
        ('class_id', [0, 0, 3], r'row 2: class 3 lies outside \[0, 3\)'),
        ('class_id', [-1, 0, 2], r'row 0: class -1 lies outside \[0, 3\)'),
        ('class_id', [2, 0, 0], 'not sorted by class'),
        ('rank', [0, 2, 0], 'row 1: rank 2 where 1 is due'),
        ('rank', [1, 0, 0], 'row 0: rank 1 where 0 is due'),
        ('rank', [0, 1, 1], 'row 2: rank 1 where 0 is due'),
        ('score', [0.0, np.nan, 0.0], 'row 1: score nan is not finite'),
        ('score', [0.0, 1.0, -np.inf], 'row 2: score -inf is not finite'),
        ('key', ('a', 'a', 'b'), "row 1: key 'a' stands twice in class 0"),
        ('file', ('a', '/b', 'c'), "row 1: '/b' leaves the folder"),
        ('file', ('a', 'b', 'c/../../d'), 'row 2: .* leaves the folder'),
        ('file', ('a', 'b\0', 'c'), r"row 1: 'b\\x00' is not a path"),
    ],
)
def test_a_broken_contract_is_named(column, value, message):
    if not isinstance(value, tuple):
        value = np.array(value)
    with pytest.raises(ValueError, match=message):
        replace(MANIFEST, **{column: value})


def test_the_contract_is_checked_when_a_file_is_read(tmp_path):
    file = tmp_path / 'm.parquet'
    save_manifest(file, MANIFEST)
    table = pq.read_table(file)
    pq.write_table(table.slice(1), file)  # rank 0 of 'cat' is gone
    with pytest.raises(ValueError, match='rank 1 where 0 is due'):
        load_manifest(file)


@pytest.mark.parametrize('name', ['key', 'file', 'caption'])
def test_bytes_that_are_no_text_are_refused(tmp_path, name):
    file = tmp_path / 'm.parquet'
    save_manifest(file, MANIFEST)
    table = pq.read_table(file)
    number = table.column_names.index(name)
    values = pa.array([b'a.png', b'b\xca.png', b'c.png']).view(pa.string())
    pq.write_table(table.set_column(number, name, values), file)
    with pytest.raises(ValueError, match=rf'{name} is not text: .*UTF8'):
        load_manifest(file)


def test_a_missing_manifest_says_how_to_make_one(tmp_path):
    with pytest.raises(
        ValueError, match=r'm\.parquet does not exist; .*tools/retrieve\.py'
    ):
        load_manifest(tmp_path / 'm.parquet')


def _write_text(file):
    file.write_text('class_id,rank\n')


def _write_foreign_table(file):
    pq.write_table(pa.table({'key': ['a']}), file)


def _write_labeled_table(file):
    table = pa.table({'key': ['a']})
    pq.write_table(table.replace_schema_metadata({'pandas': '{}'}), file)


@pytest.mark.parametrize(
    'write', [_write_text, _write_foreign_table, _write_labeled_table]
)
def test_another_file_is_not_a_manifest(tmp_path, write):
    write(tmp_path / 'm.parquet')
    with pytest.raises(ValueError, match=r'm\.parquet is not a manifest'):
        load_manifest(tmp_path / 'm.parquet')


@pytest.mark.parametrize(
    ('name', 'values', 'message'),
    [
        ('class_id', [0.0, 0.0, 2.0], 'class_id must be int32 .* got double'),
        ('class_id', [0, None, 2], 'got int64 with 1 empty values'),
        ('rank', ['0', '1', '0'], 'rank must be int32 .* got string'),
        ('rank', [0, 2**40, 0], '1099511627776'),
        ('cosine', ['x', 'y', 'z'], 'cosine must be double .* got string'),
        ('key', [1, 2, 3], 'key must be string .* got int64'),
        ('caption', None, 'one column caption, found 0 among'),
    ],
)
def test_columns_of_other_types_are_refused(tmp_path, name, values, message):
    file = tmp_path / 'm.parquet'
    save_manifest(file, MANIFEST)
    table = pq.read_table(file)
    metadata = table.schema.metadata
    table = table.drop_columns([name])
    if values is not None:
        table = table.append_column(name, pa.array(values))
    pq.write_table(table.replace_schema_metadata(metadata), file)
    with pytest.raises(ValueError, match=rf'm\.parquet: .*{message}'):
        load_manifest(file)


@pytest.mark.parametrize(
    'change', [{'class_names': 'abc'}, {'class_names': [1]}, {'source': 5}]
)
def test_a_header_of_other_types_is_refused(tmp_path, change):
    file = tmp_path / 'm.parquet'
    save_manifest(file, MANIFEST)
    table = pq.read_table(file)
    header = json.loads(table.schema.metadata[b'ltvl_mm']) | change
    table = table.replace_schema_metadata({'ltvl_mm': json.dumps(header)})
    pq.write_table(table, file)
    with pytest.raises(ValueError, match='its header must hold class_names'):
        load_manifest(file)


def test_its_own_class_list_is_accepted():
    MANIFEST.check_class_names(NAMES, 'the dataset')
    MANIFEST.check_class_names(list(NAMES), 'the dataset')


def test_a_class_list_of_another_length_is_refused():
    with pytest.raises(
        ValueError, match='made for 3 classes, but the dataset has 2'
    ):
        MANIFEST.check_class_names(NAMES[:2], 'the dataset')


def test_a_class_list_in_another_order_is_refused():
    with pytest.raises(
        ValueError, match="class 0 is 'cat' there and 'dog' in the dataset"
    ):
        MANIFEST.check_class_names(('dog', 'cat', NAMES[2]), 'the dataset')


def test_the_temperature_of_the_retrieval_is_a_positive_number():
    assert MANIFEST.temperature == 0.01
    for source in ({}, {'temperature': None}, {'temperature': float('nan')}):
        with pytest.raises(ValueError, match='must record the temperature'):
            _ = replace(MANIFEST, source=source).temperature

"""Pipes and devices in the place of files: refused at once."""

import os
import signal

import pyarrow as pa
import pytest

from ltvl_mm.apis.image_loading import load_image
from ltvl_mm.retrieval.reading.web_image import read_image_bytes
from ltvl_mm.structures.class_names import load_class_names
from ltvl_mm.structures.class_queries import load_queries
from ltvl_mm.structures.image_list import read_image_list
from ltvl_mm.structures.manifest_file import load_manifest
from ltvl_mm.structures.store_files import (
    count_lines,
    digest_ends,
    map_matrix,
    read_columns,
)
from ltvl_mm.utils.io import hash_file, read_arrays, read_json

READERS = {
    "a store's matrix": map_matrix,
    "a store's table": count_lines,
    'its columns': lambda file: read_columns(file, ['caption'], pa.schema([])),
    'its digest': digest_ends,
    'class queries': load_queries,
    'arrays': lambda file: read_arrays(file, ['a'], made_by='a test'),
    'JSON': read_json,
    'a manifest': load_manifest,
    'a checksum': hash_file,
    'a list of images': read_image_list,
    'class names': load_class_names,
    'an image of the inferencer': load_image,
}


@pytest.mark.parametrize('name', READERS)
def test_readers_refuse_pipes_and_do_not_wait(name, tmp_path):
    os.mkfifo(tmp_path / 'pipe')
    signal.alarm(20)  # ends the test if a reader waits
    try:
        with pytest.raises(ValueError, match='pipe'):
            READERS[name](tmp_path / 'pipe')
    finally:
        signal.alarm(0)


def test_a_store_that_names_pipes_or_gigabytes_is_refused(tmp_path):
    os.mkfifo(tmp_path / 'pipe.tar')
    for source in (tmp_path / 'pipe.tar', '/dev/zero'):
        with pytest.raises(ValueError, match='expected a regular file'):
            read_image_bytes(str(source), 0, 100, '0' * 64)
    with pytest.raises(ValueError, match='has 1,099,511,627,776 bytes; at mo'):
        read_image_bytes(str(tmp_path / 'a.tar'), 0, 1 << 40, '0' * 64)

"""Archives of a retrieval that are cut, or have a changed byte."""

import re

import numpy as np
import pytest

from ltvl_mm.retrieval.search.candidate_pool import (
    load_pool,
    make_pool,
    save_pool,
)
from ltvl_mm.structures.background import (
    Background,
    load_background,
    save_background,
)
from ltvl_mm.structures.class_queries import (
    ClassQueries,
    load_queries,
    save_queries,
)

QUERIES = ClassQueries(
    ('cat', 'dog'), ('a {}.',), np.eye(2, 3, dtype=np.float32), {'arch': 'a'}
)
KINDS = {
    'queries': (save_queries, QUERIES, load_queries),
    'background': (
        save_background,
        Background(QUERIES, 'builtin', 'hash'),
        load_background,
    ),
    'pool': (save_pool, make_pool([1, 2], 0.0), load_pool),
}
# Place in the first entry of zip's central directory -> what it says.
PLACES = {6: 'version', 8: 'encryption', 10: 'compression', 16: 'checksum'}


@pytest.mark.parametrize('kind', KINDS)
def test_a_damaged_archive_is_refused_by_name(kind, tmp_path):
    save, content, load = KINDS[kind]
    file = tmp_path / f'{kind}.npz'
    save(file, content)
    load(file)
    data = file.read_bytes()
    entry = data.index(b'PK\x01\x02')
    damaged = [b'', data[:4], data[:-1], data[:entry]]
    for place in PLACES:
        changed = bytearray(data)
        changed[entry + place] ^= 0xFF
        damaged.append(bytes(changed))
    for one in damaged:
        file.write_bytes(one)
        with pytest.raises(ValueError, match=re.escape(str(file))):
            load(file)

"""Small stores of two parts, retrievals from them, and ways to tamper."""

import json
import shutil

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from ltvl_mm.retrieval.run_retrieval import run_retrieval
from ltvl_mm.retrieval.task import RetrievalOptions, RetrievalTask
from ltvl_mm.structures.class_queries import ClassQueries
from ltvl_mm.structures.store_parts import METADATA
from ltvl_mm.structures.store_reader import open_store
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


def make_unit(seed, rows=ROWS):
    x = np.random.default_rng(seed).normal(size=(rows, 4))
    return (x / np.linalg.norm(x, axis=1, keepdims=True)).astype(np.float16)


def write_store(root, seeds=(0, 1), name='shard'):
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
            make_unit(seed),
            columns,
            [],
            store=store,
        )
        parts.append(part)
    return finish_store(root, ENCODER, 4, parts)


def retrieve_two(web, held_out, out, **how):
    """Return a manifest of two images per class."""
    task = RetrievalTask(
        open_store(web),
        QUERIES,
        np.array([2, 2]),
        [open_store(held_out)],
        RetrievalOptions(temperature=0.1, copy='none'),
        **how,
    )
    return run_retrieval(task, out)[0]


def permute_metadata(root, file='metadata/metadata_1.parquet'):
    table = pq.read_table(root / file)
    pq.write_table(table.take(np.roll(np.arange(len(table)), 1)), root / file)


def permute_embeddings(root, file='img_emb/img_emb_1.npy'):
    np.save(root / file, np.roll(np.load(root / file), 1, axis=0))


def change_a_key(root):
    file = root / 'metadata/metadata_1.parquet'
    table = pq.read_table(file)
    place = table.column_names.index('image_path')
    keys = ['shard-1/x', *table['image_path'].to_pylist()[1:]]
    pq.write_table(table.set_column(place, 'image_path', pa.array(keys)), file)


def flip_a_bit(root):
    file = root / 'img_emb/img_emb_1.npy'
    data = bytearray(file.read_bytes())
    data[-1] ^= 1
    file.write_bytes(data)


def copy_foreign_part(root, other='foreign', number=1):
    other = write_store(root.parent / other, (8, 9)).root
    for name in ('img_emb', 'metadata', 'parts'):
        for file in (other / name).glob('*_0.*'):
            to = file.name.replace('_0.', f'_{number}.')
            shutil.copy(file, root / name / to)


def swap_parts(root):
    for name in ('img_emb', 'metadata', 'parts'):
        (zero,) = (root / name).glob('*_0.*')
        one = zero.with_name(zero.name.replace('_0.', '_1.'))
        content = zero.read_bytes(), one.read_bytes()
        one.write_bytes(content[0])
        zero.write_bytes(content[1])


def drop_fast_digests(root):
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


def forget_records(root):
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

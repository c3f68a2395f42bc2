"""A folder of embeddings as clip-retrieval writes it."""

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

ENCODER = {'arch': 'a', 'weights': 'w', 'preprocess': 'p'}
# Numbers with a gap; as names, 10 and 12 would come before 2.
SIZES = {0: 3, 2: 4, 10: 1, 12: 2}


def draw_unit(rows, seed, kind=np.float16):
    x = np.random.default_rng(seed).normal(size=(rows, 5))
    return (x / np.linalg.norm(x, axis=1, keepdims=True)).astype(kind)


def write_part(folder, number, rows, *, digits=1, kind=np.float16, **columns):
    """Write a part as clip-retrieval does, with LAION's columns."""
    for name in ('img_emb', 'metadata'):
        (folder / name).mkdir(parents=True, exist_ok=True)
    name = f'{number:0{digits}d}'
    np.save(
        folder / f'img_emb/img_emb_{name}.npy', draw_unit(rows, number, kind)
    )
    table = {
        'image_path': [f'{number:05d}{row:04d}' for row in range(rows)],
        'caption': [f'caption {row}' for row in range(rows)],
        'NSFW': ['UNLIKELY'] * rows,
        'similarity': [0.3] * rows,
        'original_width': [640 + row for row in range(rows)],
    }
    pq.write_table(
        pa.table(table | columns),
        folder / f'metadata/metadata_{name}.parquet',
    )


def write_laion(tmp_path):
    for number, rows in SIZES.items():
        write_part(tmp_path / 'laion', number, rows)
    return tmp_path / 'laion'

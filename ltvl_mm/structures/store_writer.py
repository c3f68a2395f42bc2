"""Write a store part by part, so that a killed run goes on where it was."""

from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from ltvl_mm.structures.embedding_store import (
    COLUMNS,
    FILTER_COLUMNS,
    EmbeddingStore,
    Part,
    locate_part,
)
from ltvl_mm.structures.store_files import find_uneven_row, map_matrix
from ltvl_mm.utils.io import (
    atomic_write,
    claim_folder,
    hash_file,
    remove_temporaries,
    write_json,
)


def begin_store(root: Path, settings: dict) -> None:
    """Start a store, or go on with one begun with the same settings.

    Raises:
        ValueError: If ``root`` was begun with others; names what differs.
    """
    claim_folder(root, settings)
    for folder in ('img_emb', 'metadata', 'parts'):
        (root / folder).mkdir(parents=True, exist_ok=True)
        remove_temporaries(root / folder)


def write_part(
    root: Path,
    total: int,
    number: int,
    shard: str,
    embeddings: np.ndarray,
    metadata: dict[str, list],
    bad: list[tuple[str, str]],
) -> Part:
    """Write one part; its json, written last, makes it valid.

    Args:
        root: The store.
        total: How many parts there are.
        number: Of the part.
        shard: Name of what was embedded.
        embeddings: (rows, D), L2-normalised.
        metadata: The columns of METADATA, and any of FILTER_COLUMNS.
        bad: (key, reason) of each image that could not be read.

    Raises:
        ValueError: If a row is not finite or not of unit norm.
    """
    uneven = find_uneven_row(embeddings) if len(embeddings) else None
    if uneven is not None:
        raise ValueError(
            f'{shard}: the embedding of {metadata["image_path"][uneven[0]]!r} '
            f'has norm {uneven[1]}, where 1 is due; does the encoder overflow?'
        )
    matrix = locate_part(root, 'img_emb', number, total)
    table = locate_part(root, 'metadata', number, total)
    sha256, rows = '', len(embeddings)
    if rows:
        with atomic_write(matrix) as handle:
            np.save(handle, embeddings, allow_pickle=False)
        sha256 = hash_file(matrix)
        unknown = {name: [None] * rows for name in FILTER_COLUMNS.names}
        columns = pa.table(unknown | metadata, schema=COLUMNS)
        with atomic_write(table) as handle:
            pq.write_table(columns, handle, compression='zstd')
    part = Part(number, shard, rows, sha256, tuple(bad), matrix, table)
    record = asdict(part)
    del record['matrix'], record['table']  # the store may move
    write_json(locate_part(root, 'part', number, total), record)
    return part


def finish_store(
    root: Path, encoder: dict[str, str], dim: int, parts: list[Part]
) -> EmbeddingStore:
    """Write ``store.json`` and ``bad_images.json``; the store is complete."""
    store = EmbeddingStore(root, encoder, dim, tuple(parts))
    write_json(
        root / 'bad_images.json',
        [
            {'key': key, 'reason': reason}
            for part in parts
            for key, reason in part.bad
        ],
    )
    write_json(
        root / 'store.json',
        {
            'format': 1,
            'encoder': encoder,
            'dim': dim,
            'dtype': find_dtype(parts),
            'normalised': True,
            'rows': len(store),
            'parts': len(parts),
            'bad_images': sum(len(part.bad) for part in parts),
            'fingerprint': store.fingerprint,
        },
    )
    return store


def find_dtype(parts: Sequence[Part]) -> str:
    """Return the kind of number of the first matrix."""
    part = next(part for part in parts if part.rows)
    return str(map_matrix(part.matrix).dtype)

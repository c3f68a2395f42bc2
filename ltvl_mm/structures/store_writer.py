"""Write a store part by part, so that a killed run can be resumed."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from ltvl_mm.structures.embedding_store import EmbeddingStore
from ltvl_mm.structures.store_digests import digest_file
from ltvl_mm.structures.store_files import map_matrix
from ltvl_mm.structures.store_keys import bind_keys
from ltvl_mm.structures.store_parts import (
    COLUMNS,
    FILTER_COLUMNS,
    FORMAT,
    Part,
    locate_part,
)
from ltvl_mm.structures.unit_norms import find_uneven_row
from ltvl_mm.utils.io import (
    atomic_write,
    check_or_write_settings,
    hash_content,
    write_json,
)
from ltvl_mm.utils.temporaries import remove_temporaries

_FOLDERS = ('img_emb', 'metadata', 'parts')


def begin_store(root: Path, settings: dict) -> str:
    """Start a store, or resume one begun with the same settings.

    Returns:
        The identifier of the store, which its parts record.

    Raises:
        ValueError: If ``root`` was begun with others; names what differs.
    """
    check_or_write_settings(root, settings)
    for folder in _FOLDERS:
        (root / folder).mkdir(parents=True, exist_ok=True)
    remove_part_temporaries(root)
    return hash_content(settings)


def remove_part_temporaries(root: Path) -> None:
    """Delete what processes that died while writing parts left in a store."""
    for folder in _FOLDERS:
        remove_temporaries(root / folder)


def write_part(
    root: Path,
    total: int,
    number: int,
    shard: str,
    embeddings: np.ndarray,
    metadata: dict[str, list],
    bad: list[tuple[str, str]],
    *,
    store: str = '',
    source: dict | None = None,
) -> Part:
    """Write one part; its json, written last, makes it valid.

    Args:
        root: Folder of the store.
        total: Number of parts.
        number: Index of the part.
        shard: Name of the shard.
        embeddings: (rows, D), L2-normalized.
        metadata: The columns of METADATA, and any of FILTER_COLUMNS.
        bad: (key, reason) of each image that could not be read.
        store: Identifier of the store, from :func:`begin_store`.
        source: Size and time of the embedded files; None if unknown.

    Raises:
        ValueError: If a row is not finite or not of unit norm.
    """
    uneven = find_uneven_row(embeddings) if len(embeddings) else None
    if uneven is not None:
        raise ValueError(
            f'{shard}: the embedding of {metadata["image_path"][uneven[0]]!r} '
            f'has norm {uneven[1]}, where 1 is due; does the encoder overflow?'
        )
    part = Part(
        number,
        shard,
        len(embeddings),
        '',
        tuple(bad),
        locate_part(root, 'img_emb', number, total),
        locate_part(root, 'metadata', number, total),
        store=store,
        source=source,
    )
    if part.rows:
        part = _write_files(part, embeddings, metadata)
    _write_record(root, total, part)
    return part


def _write_files(
    part: Part, embeddings: np.ndarray, metadata: dict[str, list]
) -> Part:
    """Write the two files of a part; return it with their digests."""
    with atomic_write(part.matrix) as handle:
        np.save(handle, embeddings, allow_pickle=False)
    unknown = {name: [None] * part.rows for name in FILTER_COLUMNS.names}
    columns = pa.table(unknown | metadata, schema=COLUMNS)
    with atomic_write(part.table) as handle:
        pq.write_table(columns, handle, compression='zstd')
    sha256, matrix_xxh3 = digest_file(part.matrix)
    table_sha256, table_xxh3 = digest_file(part.table)
    return replace(
        part,
        sha256=sha256,
        matrix_sha256=sha256,
        matrix_xxh3=matrix_xxh3,
        table_sha256=table_sha256,
        table_xxh3=table_xxh3,
        binding=bind_keys(sha256, columns['image_path']),
    )


def _write_record(root: Path, total: int, part: Part) -> None:
    """Write the json of a part, which makes it valid."""
    file = locate_part(root, 'part', part.number, total)
    write_json(file, part.record)


def finish_store(
    root: Path,
    encoder: dict[str, str],
    dim: int,
    parts: list[Part],
    *,
    decoder: int | None = None,
    hash_recipe: str | None = None,
) -> EmbeddingStore:
    """Write ``store.json`` and ``bad_images.json``; the store is complete.

    Args:
        root: Folder of the store.
        encoder: Architecture, weights and preprocessing.
        dim: Width D.
        parts: All parts.
        decoder: Version of the image decoder; None if it was not recorded
            when the store was begun.
        hash_recipe: Name of the recipe of the perceptual hashes; None if it
            was not recorded when the store was begun.
    """
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
            **describe_store(store, decoder=decoder, hash_recipe=hash_recipe),
            'parts': len(parts),
            'bad_images': sum(len(part.bad) for part in parts),
            'fingerprint': store.fingerprint,
            # The record of each part, so that none can be exchanged.
            'records': [part.digest for part in parts],
        },
    )
    return store


def describe_store(
    store: EmbeddingStore,
    *,
    decoder: int | None = None,
    hash_recipe: str | None = None,
) -> dict:
    """Return the first keys of ``store.json``, JSON-like.

    Args:
        store: The store, with at least one row.
        decoder: Version of the image decoder; None if it was not recorded
            when the store was begun, or another program made the embeddings.
        hash_recipe: Name of the recipe of the perceptual hashes; None as for
            ``decoder``.
    """
    part = next(part for part in store.parts if part.rows)
    return {
        'format': FORMAT,
        'encoder': store.encoder,
        **({} if decoder is None else {'decoder': decoder}),
        **({} if hash_recipe is None else {'hash_recipe': hash_recipe}),
        'dim': store.dim,
        # The kind of number of the first matrix.
        'dtype': str(map_matrix(part.matrix).dtype),
        'normalized': True,
        'rows': len(store),
    }

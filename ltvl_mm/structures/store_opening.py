"""Open an embedding store, and refuse parts that are not its own."""

from dataclasses import replace
from pathlib import Path

from ltvl_mm.structures.embedding_store import EmbeddingStore
from ltvl_mm.structures.store_parts import (
    INDEX_DIGESTS,
    Part,
    index_part,
    locate_part,
    read_part,
)
from ltvl_mm.utils.io import read_json


def open_store(root: str | Path) -> EmbeddingStore:
    """Open a complete store, or an index of one that others made.

    Raises:
        ValueError: If there is none, a part is missing or belongs to another
            store, or an indexed file has changed.
    """
    root = Path(root)
    file = root / 'store.json'
    if not file.is_file():
        raise ValueError(
            f'there is no complete embedding store in {root}; make or finish '
            f'it with tools/embed_images.py, or, if others made it, say by '
            f'which encoder with tools/index_store.py'
        )
    header = read_json(file)
    try:
        if 'indexed' in header:
            parts = [
                _open_indexed(root, number, record)
                for number, record in enumerate(header['indexed'])
            ]
        else:
            parts = _open_parts(root, header)
        encoder, dim = dict(header['encoder']), int(header['dim'])
    except (KeyError, TypeError) as error:
        raise ValueError(
            f'{file} is not the header of an embedding store ({error!r}); '
            f'restore it, or write it again with tools/embed_images.py'
        ) from None
    return EmbeddingStore(root, encoder, dim, tuple(parts))


def _open_parts(root: Path, header: dict) -> list[Part]:
    total = header['parts']
    parts = []
    for number in range(total):
        part = read_part(root, total, number)
        if part is None:
            raise ValueError(f'{root}: part {number} is missing')
        parts.append(part)
    # Earlier versions wrote no digests; find_unrecorded says so.
    digests = header.get('records', [part.digest for part in parts])
    if len(digests) != total:
        raise ValueError(
            f'{root / "store.json"} holds the digests of {len(digests)} '
            f'records for {total} parts; restore it, or delete it and run '
            f'tools/embed_images.py again'
        )
    for part, digest in zip(parts, digests, strict=True):
        if part.digest != digest:
            raise ValueError(
                f'{locate_part(root, "part", part.number, total)} (shard '
                f'{part.shard!r}) is not the record that this store was '
                f'finished with: it was replaced, edited, or comes from '
                f'another store. Restore the part from a copy, or delete this '
                f'file and run tools/embed_images.py again'
            )
    return parts


def _open_indexed(root: Path, number: int, record: dict) -> Part:
    matrix, table = root / record['matrix'], root / record['table']
    part = index_part(number, matrix, table)
    if (part.rows, part.sha256) != (record['rows'], record['sha256']):
        raise ValueError(
            f'{matrix} or {table} has changed since it was indexed; if that '
            f'is right, index again with tools/index_store.py'
        )
    return replace(
        part, **{name: record.get(name, '') for name in INDEX_DIGESTS}
    )

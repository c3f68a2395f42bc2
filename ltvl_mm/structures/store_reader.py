"""Read an embedding store, and refuse parts that are not its own."""

from dataclasses import replace
from pathlib import Path

from ltvl_mm.structures.embedding_store import EmbeddingStore
from ltvl_mm.structures.store_fields import (
    MAX_DIM,
    Field,
    check_fields,
    pairs_of_texts,
    read_fields,
    sequence,
    text,
    whole,
)
from ltvl_mm.structures.store_files import (
    count_lines,
    digest_ends,
    map_matrix,
)
from ltvl_mm.structures.store_parts import (
    FORMAT,
    INDEX_DIGESTS,
    Part,
    locate_part,
)
from ltvl_mm.utils.hash_recipes import PLAIN_RECIPE
from ltvl_mm.utils.io import hash_content
from ltvl_mm.utils.remote_calls import run_in_parallel
from ltvl_mm.utils.remote_paths import as_path, is_remote

_REMEDY = (
    'restore it, or delete it and run tools/embed_images.py again or, if '
    'another program made the embeddings, tools/index_store.py'
)
# The json of a part; earlier versions wrote the number and no digests but
# that of the embeddings.
_RECORD_FIELDS = {
    'shard': text(),
    'rows': whole(),
    'sha256': text(),
    'bad': pairs_of_texts(),
    'source': Field(
        'an object or null',
        lambda value: value is None or isinstance(value, dict),
        required=False,
    ),
    'number': whole(required=False),
    'store': text(required=False),
    **{
        name: text(required=False)
        for name in ('table_sha256', 'binding', 'matrix_xxh3', 'table_xxh3')
    },
}
_HEADER_FIELDS = {
    'encoder': Field(
        'an object of texts and numbers',
        lambda value: (
            isinstance(value, dict)
            and all(
                isinstance(item, (str, int, float, type(None)))
                for item in value.values()
            )
        ),
    ),
    'dim': whole(1, MAX_DIM),
    'rows': whole(required=False),
    'format': whole(1, required=False),
    'hash_recipe': text(required=False),
    'parts': whole(1, required=False),
    # The two layouts have one of these; earlier versions wrote no records.
    'records': sequence(
        lambda digest: isinstance(digest, str),
        'a list of texts',
        required=False,
    ),
    'indexed': sequence(lambda _: True, 'a list of objects', required=False),
}
_INDEX_FIELDS = {
    'rows': whole(),
    'sha256': text(),
    'matrix': text(),
    'table': text(),
    **{name: text(required=False) for name in INDEX_DIGESTS},
}


def open_store(root: str | Path) -> EmbeddingStore:
    """Open a complete store, or an index of one that others made.

    Raises:
        ValueError: If there is none, a part is missing or belongs to another
            store, or an indexed file has changed.
    """
    root = as_path(root)
    file = root / 'store.json'
    if not file.is_file():
        raise ValueError(
            f'there is no complete embedding store in {root}; make or finish '
            f'it with tools/embed_images.py, or, if others made it, say by '
            f'which encoder with tools/index_store.py'
        )
    header = read_header(file)
    if 'indexed' in header:
        parts = [
            _open_indexed(root, number, record)
            for number, record in enumerate(header['indexed'])
        ]
    else:
        parts = _open_parts(root, header)
    rows = sum(part.rows for part in parts)
    if header.get('rows', rows) != rows:
        raise ValueError(
            f'{file}: rows is {header["rows"]}, but its parts have {rows} '
            f'rows; {_REMEDY}'
        )
    recipe = header.get('hash_recipe', PLAIN_RECIPE)
    parts = [replace(part, hash_recipe=recipe) for part in parts]
    return EmbeddingStore(root, header['encoder'], header['dim'], tuple(parts))


def read_header(file: Path) -> dict:
    """Read ``store.json`` and check the types of its fields.

    Raises:
        ValueError: If it is not the header of a store; names file, key and
            value.
    """
    kind = 'the header of an embedding store'
    header = read_fields(file, _HEADER_FIELDS, kind=kind, remedy=_REMEDY)
    if header.get('format', FORMAT) > FORMAT:
        raise ValueError(
            f'{file}: format is {header["format"]}, and this version of '
            f'ltvl_mm reads formats up to {FORMAT}; update ltvl_mm'
        )
    if 'indexed' not in header:
        if 'parts' not in header:
            raise ValueError(
                f'{file} is not {kind}: parts is missing; {_REMEDY}'
            )
        return header
    for number, record in enumerate(header['indexed']):
        check_fields(
            file,
            record,
            _INDEX_FIELDS,
            kind=kind,
            remedy=_REMEDY,
            place=f'indexed[{number}].',
        )
    return header


def _open_parts(root: Path, header: dict) -> list[Part]:
    total = header['parts']
    parts = []
    for number, part in enumerate(read_parts(root, total)):
        if part is None:
            raise ValueError(
                f'{root}: part {number} of {total} is missing '
                f'({locate_part(root, "part", number, total)} does not '
                f'exist); restore it from a copy, or run the command of '
                f'tools/embed_images.py again, which embeds what is missing'
            )
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
    matrix, table = (_locate(root, record[n]) for n in ('matrix', 'table'))
    part = index_part(number, matrix, table)
    if (part.rows, part.sha256) != (record['rows'], record['sha256']):
        raise ValueError(
            f'{matrix} or {table} has changed since it was indexed; if that '
            f'is right, index again with tools/index_store.py'
        )
    return replace(
        part, **{name: record.get(name, '') for name in INDEX_DIGESTS}
    )


def _locate(root: Path, name: str) -> Path:
    """Return an indexed file; a local index may name remote ones."""
    is_address = is_remote(name) and not is_remote(root)
    return as_path(name) if is_address else root / name


def read_parts(root: Path, total: int) -> list[Part | None]:
    """Return all parts of a store, None for each that is not finished.

    Raises:
        ValueError: As :func:`read_part`.
    """

    def read(number: int) -> Part | None:
        return read_part(root, total, number)

    if is_remote(root):
        return run_in_parallel(read, range(total))
    return [read(number) for number in range(total)]


def read_part(root: Path, total: int, number: int) -> Part | None:
    """Return a part that an earlier run finished, or None.

    Raises:
        ValueError: If its json is not a record of a part; names the file.
    """
    file = locate_part(root, 'part', number, total)
    if not file.exists():
        return None
    return parse_record(
        file,
        number,
        locate_part(root, 'img_emb', number, total),
        locate_part(root, 'metadata', number, total),
    )


def parse_record(file: Path, number: int, matrix: Path, table: Path) -> Part:
    """Return the part that a json describes.

    Args:
        file: The json.
        number: Index of the part.
        matrix: The part's ``.npy`` file.
        table: The part's parquet file.

    Raises:
        ValueError: If it is not a record of a part; names the file.
    """
    record = dict(
        read_fields(
            file,
            _RECORD_FIELDS,
            kind='the record of a part of a store',
            remedy='restore it, or delete it and run tools/embed_images.py '
            'again',
            only=True,
        )
    )
    record.pop('number', None)  # written by earlier versions
    record['bad'] = tuple((key, why) for key, why in record['bad'])
    return Part(
        number=number,
        **record,
        matrix=matrix,
        table=table,
        matrix_sha256=record['sha256'],
    )


def index_part(number: int, matrix: Path, table: Path) -> Part:
    """Return the part that two files of an indexed store make.

    Raises:
        ValueError: If a file is missing or broken, or they differ in rows.
    """
    rows, lines = len(map_matrix(matrix)), count_lines(table)
    if rows != lines:
        raise ValueError(f'{matrix} has {rows} rows, but {table} has {lines}')
    sha256 = hash_content([digest_ends(matrix), digest_ends(table)])
    return Part(number, matrix.stem, rows, sha256, (), matrix, table)

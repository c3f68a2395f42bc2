"""Parts of an embedding store: one shard's rows, and their record."""

from dataclasses import asdict, dataclass
from pathlib import Path

import pyarrow as pa

from ltvl_mm.utils.hash_recipes import PLAIN_RECIPE
from ltvl_mm.utils.io import hash_content

# Format of the JSON files; 1 recorded no digests of metadata, keys, records.
FORMAT = 2

METADATA = pa.schema(
    [
        ('image_path', pa.string()),
        ('caption', pa.string()),
        ('url', pa.string()),
        ('source', pa.string()),
        ('offset', pa.int64()),
        ('size', pa.int64()),
        ('sha256', pa.string()),
        ('phash', pa.uint64()),
    ]
)
# Columns that filters read, under the names of LAION and img2dataset; null
# where a sample has no value. width and height are those of the stored image,
# original_width and original_height those of the image on the web.
FILTER_COLUMNS = pa.schema(
    [
        ('width', pa.int32()),
        ('height', pa.int32()),
        ('original_width', pa.int32()),
        ('original_height', pa.int32()),
        ('similarity', pa.float32()),
        ('punsafe', pa.float32()),
        ('pwatermark', pa.float32()),
        ('NSFW', pa.string()),
        ('LANGUAGE', pa.string()),
    ]
)

COLUMNS = pa.schema([*METADATA, *FILTER_COLUMNS])

# Fields of a part that its json does not hold: the store may move, and a part
# gets another number when shards are added.
_NOT_RECORDED = (
    'number',
    'matrix',
    'table',
    'matrix_sha256',
    'prefix',
    'hash_recipe',
)

# Digests of a part that the index of a store of others holds.
INDEX_DIGESTS = (
    'matrix_sha256',
    'matrix_xxh3',
    'table_sha256',
    'table_xxh3',
    'binding',
)


@dataclass(frozen=True)
class Part:
    """The embeddings of one shard.

    Args:
        number: Index of the shard among all, in the order of their names.
        shard: Name of the shard.
        rows: Number of embedded images.
        sha256: Digest of the ``.npy`` file; '' when there are no rows (then
            there is no file: clip-retrieval's readers misalign empty ones).
            In an index, the digest of the ends of both files.
        bad: (key, reason) of each image that could not be read.
        matrix: The ``.npy`` file.
        table: The parquet file, or a ``.txt`` of keys.
        table_sha256: Digest of ``table``; '' if it was not recorded.
        binding: Digest of the keys and embeddings in their order; '' if it
            was not recorded. In an index, of both files.
        store: Identifier of the store, a hash of its settings.
        source: Size and time of the embedded files; None if not recorded.
        matrix_sha256: Digest of the whole ``.npy`` file; '' if it was not
            recorded.
        prefix: Text before all keys, where stores are searched as one.
        matrix_xxh3: xxh3_128 of the ``.npy`` file, which is checked instead
            of sha256 because it is faster; '' if it was not recorded.
        table_xxh3: xxh3_128 of ``table``; '' if it was not recorded.
        hash_recipe: Name of the recipe of the perceptual hashes, from the
            header of the store.
    """

    number: int
    shard: str
    rows: int
    sha256: str
    bad: tuple[tuple[str, str], ...]
    matrix: Path
    table: Path
    table_sha256: str = ''
    binding: str = ''
    store: str = ''
    source: dict | None = None
    matrix_sha256: str = ''
    prefix: str = ''
    matrix_xxh3: str = ''
    table_xxh3: str = ''
    hash_recipe: str = PLAIN_RECIPE

    @property
    def record(self) -> dict:
        """The part as its json holds it."""
        record = asdict(self)
        for name in _NOT_RECORDED:
            del record[name]
        # Records of earlier versions lack these and keep their digest.
        for name in ('matrix_xxh3', 'table_xxh3'):
            if not record[name]:
                del record[name]
        record['bad'] = [list(pair) for pair in self.bad]
        return record

    @property
    def digest(self) -> str:
        """sha256 of the record."""
        return hash_content(self.record)


def locate_part(root: Path, kind: str, number: int, total: int) -> Path:
    """Return a part's file, numbered as clip-retrieval does.

    Args:
        root: Folder of the store.
        kind: ``'img_emb'``, ``'metadata'`` or ``'part'``.
        number: Index of the part.
        total: Number of parts; decides the width of the number.
    """
    folder = 'parts' if kind == 'part' else kind
    suffix = {'img_emb': 'npy', 'metadata': 'parquet', 'part': 'json'}[kind]
    digits = len(str(max(total - 1, 0)))
    return root / folder / f'{kind}_{number:0{digits}d}.{suffix}'

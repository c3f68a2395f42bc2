"""List of the retrieved images that are to be downloaded.

``download.parquet`` has one row per row of the manifest, in its order. It is
an input of img2dataset.
"""

import logging
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
from mmengine.logging import print_log

from ltvl_mm.retrieval.reading.parquet_rows import PARQUET_ERRORS
from ltvl_mm.structures.manifest import Manifest
from ltvl_mm.structures.manifest_file import load_manifest
from ltvl_mm.utils.hash_recipes import PLAIN_RECIPE
from ltvl_mm.utils.io import atomic_write
from ltvl_mm.utils.parquet_files import read_parquet

DOWNLOAD_LIST = 'download.parquet'
MANIFEST = 'manifest.parquet'
# The manifest with all rows, kept when rows without image are dropped.
FULL_MANIFEST = 'manifest_full.parquet'

_DOWNLOAD_SCHEMA = pa.schema(
    [
        ('url', pa.string()),
        ('caption', pa.string()),
        ('key', pa.string()),
        ('file', pa.string()),
        ('sha256', pa.string()),
        ('phash', pa.uint64()),
        ('hash_recipe', pa.string()),
    ]
)
_READ = ('url', 'key', 'file', 'sha256', 'phash', 'hash_recipe')
# Keys that a message lists.
_SHOWN = 3


@dataclass(frozen=True)
class WantedImages:
    """Rows of a manifest, and the values that a download is checked with.

    Args:
        manifest: The full manifest, M rows.
        url: M addresses; None or '' if unknown.
        sha256: M hex digests of the embedded files; None or '' if unknown.
        phash: M 64-bit perceptual hashes; None if unknown.
        hash_recipe: M names of the recipes of these hashes.
    """

    manifest: Manifest
    url: Sequence[str | None]
    sha256: Sequence[str | None]
    phash: Sequence[int | None]
    hash_recipe: Sequence[str]

    def __len__(self) -> int:
        return len(self.manifest)


class DownloadListWriter:
    """Writes ``download.parquet``, and counts the rows without URL."""

    def __init__(self, writer: pq.ParquetWriter) -> None:
        self._writer = writer
        self.rows = 0
        self.nameless = 0
        self.first_nameless: list[str] = []

    def add(self, columns: Mapping[str, pa.Array | Sequence]) -> None:
        """Write the next rows.

        Args:
            columns: Values of the columns ``url``, ``caption``, ``key``,
                ``file``, ``sha256``, ``phash`` and ``hash_recipe`` by name;
                None where the store has no value.
        """
        arrays = {}
        for field in _DOWNLOAD_SCHEMA:
            values = columns[field.name]
            if not isinstance(values, pa.Array):
                values = pa.array(list(values), field.type)
            arrays[field.name] = values
        table = pa.table(arrays, schema=_DOWNLOAD_SCHEMA)
        self._writer.write_table(table)
        self.rows += len(table)
        empty = pc.equal(pc.fill_null(table['url'], ''), '')
        keys = table['key'].filter(empty)
        self.nameless += len(keys)
        more = _SHOWN - len(self.first_nameless)
        self.first_nameless += keys.slice(0, more).to_pylist()

    def log(self) -> None:
        """Log how many rows have no URL."""
        if self.nameless:
            print_log(
                f'{self.nameless} of {self.rows} retrieved images have no '
                f'URL in the store and cannot be downloaded: '
                f'{", ".join(self.first_nameless)}'
                f'{", ..." if self.nameless > _SHOWN else ""}. If their keys '
                f'name files that you have, give the folder of these files '
                f'to tools/place_downloads.py',
                'current',
                level=logging.WARNING,
            )


@contextmanager
def open_download_list(out: Path) -> Iterator[DownloadListWriter]:
    """Open ``download.parquet`` to write it; log what has no URL.

    Args:
        out: Folder of the manifest.
    """
    with (
        atomic_write(out / DOWNLOAD_LIST) as file,
        pq.ParquetWriter(file, _DOWNLOAD_SCHEMA, compression='zstd') as writer,
    ):
        listed = DownloadListWriter(writer)
        yield listed
    listed.log()


def load_wanted(retrieved: Path) -> WantedImages:
    """Read the full manifest and the download list of a retrieved folder.

    Raises:
        ValueError: If a file is missing or broken, or the list is not that of
            the manifest.
    """
    path = retrieved / DOWNLOAD_LIST
    if not path.is_file():
        raise ValueError(
            f'{path} does not exist; tools/retrieve.py --copy none writes it'
        )
    manifest = load_manifest(find_full_manifest(retrieved))
    try:
        table = read_parquet(path)
        # Versions before sha256, phash and its recipe wrote fewer columns.
        columns = {
            name: table[name]
            .cast(_DOWNLOAD_SCHEMA.field(name).type)
            .to_pylist()
            if name in table.column_names
            else [None] * len(table)
            for name in _READ
        }
    except PARQUET_ERRORS as error:
        raise ValueError(f'{path} cannot be read: {error!s:.200}') from None
    if manifest.key != columns['key'] or manifest.file != columns['file']:
        raise ValueError(
            f'{path} is not the list of {find_full_manifest(retrieved)}: '
            f'their keys or files differ; retrieve into a new folder'
        )
    return WantedImages(
        manifest,
        columns['url'],
        columns['sha256'],
        columns['phash'],
        [name or PLAIN_RECIPE for name in columns['hash_recipe']],
    )


def find_full_manifest(retrieved: Path) -> Path:
    """Return the path of the manifest that has all rows."""
    full = retrieved / FULL_MANIFEST
    return full if full.exists() else retrieved / MANIFEST

"""List of the retrieved images that are to be downloaded.

``download.parquet`` has one row per row of the manifest, in its order. It is
an input of img2dataset.
"""

import logging
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import pyarrow as pa
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


def write_download_list(
    out: Path,
    manifest: Manifest,
    metadata: dict[str, list],
    hash_recipes: Sequence[str],
) -> None:
    """Write ``download.parquet`` and log how many rows have no URL.

    Args:
        out: Folder of the manifest.
        manifest: M retrieved images.
        metadata: M values of the store's columns ``url``, ``sha256`` and
            ``phash``, by name; None where the store has no value.
        hash_recipes: M names of the recipes of the perceptual hashes.
    """
    columns = {name: metadata[name] for name in ('url', 'sha256', 'phash')} | {
        name: list(getattr(manifest, name))
        for name in ('caption', 'key', 'file')
    }
    columns['hash_recipe'] = list(hash_recipes)
    table = pa.table(
        {
            name: pa.array(columns[name], _DOWNLOAD_SCHEMA.field(name).type)
            for name in _DOWNLOAD_SCHEMA.names
        }
    )
    with atomic_write(out / DOWNLOAD_LIST) as file:
        pq.write_table(table, file, compression='zstd')
    nameless = [
        key
        for key, url in zip(manifest.key, metadata['url'], strict=True)
        if not url
    ]
    if nameless:
        print_log(
            f'{len(nameless)} of {len(manifest)} retrieved images have no '
            f'URL in the store and cannot be downloaded: '
            f'{", ".join(nameless[:_SHOWN])}'
            f'{", ..." if len(nameless) > _SHOWN else ""}. If their keys name '
            f'files that you have, give the folder of these files to '
            f'tools/place_downloads.py',
            'current',
            level=logging.WARNING,
        )


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

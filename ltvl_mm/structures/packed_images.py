"""Index of ``images.tar``: first byte and size of each retrieved image.

``images.parquet`` has a row per row of the manifest. With it, images are read
from a remote tar by ranges, without unpacking.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from ltvl_mm.structures.manifest import Manifest
from ltvl_mm.utils.io import atomic_write
from ltvl_mm.utils.parquet_files import read_parquet
from ltvl_mm.utils.remote_paths import as_path

TAR = 'images.tar'
INDEX = 'images.parquet'


@dataclass(frozen=True)
class PackedImages:
    """Position of each image of a manifest in a tar.

    Args:
        tar: The tar.
        offset: (M,) int64, first byte of each image.
        size: (M,) int64, number of bytes.
    """

    tar: Path
    offset: np.ndarray
    size: np.ndarray

    def get_range(self, row: int) -> tuple[int, int]:
        """Return first byte and number of bytes of a row's image."""
        return int(self.offset[row]), int(self.size[row])


class PackedIndexWriter:
    """Writes ``images.parquet``, a row group at a time."""

    def __init__(self, writer: pq.ParquetWriter) -> None:
        self._writer = writer

    def add(
        self, file: pa.Array, offset: np.ndarray, size: np.ndarray
    ) -> None:
        """Write the next images of the manifest.

        Args:
            file: (M,) names in the tar.
            offset: (M,) first byte of each image in the tar.
            size: (M,) number of bytes.
        """
        columns = {'file': file, 'offset': offset, 'size': size}
        self._writer.write_table(pa.table(columns, schema=_SCHEMA))


@contextmanager
def open_packed_index(folder: Path) -> Iterator[PackedIndexWriter]:
    """Open ``images.parquet`` beside ``images.tar`` to write it."""
    with (
        atomic_write(folder / INDEX) as file,
        pq.ParquetWriter(file, _SCHEMA, compression='zstd') as writer,
    ):
        yield PackedIndexWriter(writer)


def load_packed_images(
    folder: str | Path, manifest: Manifest
) -> PackedImages | None:
    """Read the index of a folder; None if its images are not packed.

    Args:
        folder: Folder of the retrieved images.
        manifest: Manifest of the images.

    Raises:
        ValueError: If the tar has no index, or one of other images.
    """
    folder = as_path(folder)
    if not (folder / TAR).is_file():
        return None
    file = folder / INDEX
    if not file.is_file():
        raise ValueError(
            f'{folder / TAR} has no index {file}, by which single images are '
            f'read; retrieve again with --copy tar, or unpack the tar into '
            f'its folder'
        )
    try:
        table = read_parquet(file, _SCHEMA.names).cast(_SCHEMA)
    except (ValueError, KeyError, pa.ArrowException) as error:
        raise ValueError(f'{file} cannot be read: {error!s:.200}') from None
    columns = {name: table[name].to_numpy() for name in ('offset', 'size')}
    if manifest.file != table['file'].to_pylist():
        raise ValueError(
            f'{file} is not the index of {manifest.name}: their files differ; '
            f'retrieve again into a new folder'
        )
    if any((column < 0).any() for column in columns.values()):
        raise ValueError(f'{file} has a negative offset or size')
    return PackedImages(folder / TAR, **columns)


_SCHEMA = pa.schema(
    [('file', pa.string()), ('offset', pa.int64()), ('size', pa.int64())]
)

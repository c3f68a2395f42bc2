"""Image bytes in parquet files: find the column, count rows, fetch a row."""

from collections import Counter
from functools import lru_cache
from pathlib import Path
from threading import Lock

import pyarrow as pa
import pyarrow.parquet as pq

from ltvl_mm.utils.image_decoding import list_image_suffixes
from ltvl_mm.utils.parquet_files import read_parquet
from ltvl_mm.utils.regular_files import open_regular, read_version

# Rows held at a time. A column that is encoded with a dictionary can expand
# from kilobytes to 64 MB in each row; a batch of one row costs 40 us more.
BATCH_ROWS = 1
PARQUET_ERRORS = (OSError, ValueError, MemoryError, pa.ArrowException)


def find_image_column(file: Path) -> str | None:
    """Return the column of image bytes, or None if there is none.

    Args:
        file: A parquet file. img2dataset names the column by the images'
            format: ``jpg``, ``png`` or ``webp``. There must be a ``key``
            column as well.

    Raises:
        ValueError: If it is not a parquet file that can be read.
    """
    try:
        with open_regular(file) as handle:
            return pick_column(pq.read_schema(handle))
    except PARQUET_ERRORS as error:
        raise ValueError(
            f'{file} cannot be read as parquet: {error!s:.200}'
        ) from None


def list_columns(file: Path) -> list[str]:
    """Return the names of the columns of a parquet file."""
    with open_regular(file) as handle:
        return pq.read_schema(handle).names


def count_status(file: Path) -> dict[str, int]:
    """Return img2dataset's number of rows per download status.

    Raises:
        ValueError: If the file cannot be read.
    """
    counts: Counter[str] = Counter()
    try:
        if 'status' in list_columns(file):
            column = read_parquet(file, ['status'])['status']
            counts.update(map(str, column.to_pylist()))
    except PARQUET_ERRORS as error:
        raise ValueError(f'{file} cannot be read: {error!s:.200}') from None
    return dict(counts)


def read_row(file: str, row: int) -> bytes:
    """Return the image bytes of a row; rows in order are read in one pass.

    Raises:
        OSError: If the file does not exist.
        ValueError: If it cannot be read or has no such row.
    """
    try:
        return _open_cursor(file, *read_version(file)).read(row)
    except FileNotFoundError:
        raise
    except PARQUET_ERRORS as error:
        raise ValueError(f'{file}, row {row}: {error!s:.200}') from None


@lru_cache(maxsize=2)
def _open_cursor(file: str, size: int, version: int | str) -> '_Cursor':
    """Return a reader; a file that changed gets a new one."""
    return _Cursor(file)


class _Cursor:
    """Read single rows; moving forward reads no row twice."""

    def __init__(self, file: str) -> None:
        self.table = pq.ParquetFile(open_regular(file), pre_buffer=False)
        self.column = pick_column(self.table.schema_arrow)
        if self.column is None:
            raise ValueError('no column of image bytes')
        self.lock = Lock()
        self.group, self.start, self.batch, self.batches = -1, 0, (), iter(())

    def read(self, row: int) -> bytes:
        """Return the bytes of a row."""
        with self.lock:
            group, first = self._find_group(row)
            if group != self.group or row < self.start:
                self.group, self.start, self.batch = group, first, ()
                self.batches = self.table.iter_batches(
                    BATCH_ROWS, [group], [self.column], use_threads=False
                )
            while row >= self.start + len(self.batch):
                self.start += len(self.batch)
                self.batch = next(self.batches).column(0)
            data: bytes | None = self.batch[row - self.start].as_py()
        if data is None:
            raise ValueError('the row has no image bytes')
        return data

    def _find_group(self, row: int) -> tuple[int, int]:
        """Return the row group of a row, and the group's first row."""
        first = 0
        for group in range(self.table.num_row_groups):
            rows = self.table.metadata.row_group(group).num_rows
            if first <= row < first + rows:
                return group, first
            first += rows
        raise ValueError(f'there are {first} rows')


def pick_column(schema: pa.Schema) -> str | None:
    """Return the first column that holds bytes of images, or None."""
    if 'key' not in schema.names:
        return None
    for field in schema:
        binary = pa.types.is_binary(field.type) or pa.types.is_large_binary(
            field.type
        )
        if binary and field.name.lower() in list_image_suffixes():
            return field.name
    return None

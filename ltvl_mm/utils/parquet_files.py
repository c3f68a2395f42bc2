"""Read parquet files of other people, within the memory their size suggests.

A few kilobytes can claim a billion rows, or a megabyte of text that a million
rows share.
"""

import os
from collections.abc import Sequence
from functools import lru_cache
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from ltvl_mm.utils.npz_check import check_expansion
from ltvl_mm.utils.regular_files import check_regular, read_version
from ltvl_mm.utils.remote_files import read_object
from ltvl_mm.utils.remote_paths import is_remote

# Memory of a number or of an offset into texts.
_BYTES_A_VALUE = 8
# Bytes of a chunk of texts that need no exact count.
_SMALL = 1 << 20


def read_parquet(
    file: str | Path, columns: Sequence[str] | None = None
) -> pa.Table:
    """Return some columns of a parquet file as plain columns.

    Args:
        file: The file.
        columns: Names of columns, in their order; None for all.

    Raises:
        OSError: If the file does not exist or is broken.
        ValueError: If it would take more than 100 MB and than 100 times its
            size, or a column is nested; see also :func:`open_arrow`.
    """
    with open_arrow(file) as handle:
        size = handle.size()
        footer = pq.ParquetFile(handle)
        schema = footer.schema_arrow
        names = list(schema.names if columns is None else columns)
        _check_types(schema, names)
        shared = _find_shared(footer, size, names)
        handle.seek(0)
        table = pq.ParquetFile(
            handle, metadata=footer.metadata, read_dictionary=shared
        ).read(columns=names)
    if not names:  # only the number of rows
        return table
    sizes = [_measure(table.column(name)) for name in names]
    check_expansion(size, sum(sizes))
    return pa.table(
        {
            name: _expand(table.column(name), schema.field(name).type)
            for name in names
        },
        metadata=schema.metadata,
    )


def open_arrow(file: str | Path) -> pa.NativeFile:
    """Open a file for Arrow; a remote one is read whole.

    Raises:
        OSError: If the file does not exist.
        ValueError: If it is not a regular file.
    """
    if is_remote(file):
        return pa.BufferReader(_fetch(str(file), read_version(file)))
    check_regular(file)
    # Not a Python file: threads of Arrow that free its buffers while Python
    # ends would abort the process.
    return pa.OSFile(os.fsencode(file))


@lru_cache(maxsize=2)
def _fetch(url: str, version: tuple[int, int | str]) -> bytes:
    """Return a remote file; columns of one file are read one by one."""
    return read_object(url)


def _check_types(schema: pa.Schema, names: Sequence[str]) -> None:
    for name in names:
        if schema.names.count(name) != 1:
            raise ValueError(
                f'it has {schema.names.count(name)} columns {name!r:.80}'
            )
        kind = _get_value_type(schema.field(name).type)
        if pa.types.is_nested(kind):
            raise ValueError(
                f'the column {name!r:.80} holds {kind!s:.80}; expected texts '
                f'or numbers'
            )


def _find_shared(
    footer: pq.ParquetFile, size: int, names: Sequence[str]
) -> list[str]:
    """Return the columns whose rows share values; refuse what is too large.

    These are read as dictionaries, whose content can be measured before it is
    repeated for each row.
    """
    shared, total = set(), 0
    for group in range(footer.num_row_groups):
        rows = footer.metadata.row_group(group)
        for number in range(rows.num_columns):
            chunk = rows.column(number)
            name = chunk.path_in_schema
            if name not in names:
                continue
            if 'DELTA_BYTE_ARRAY' in chunk.encodings:
                # Each value repeats the start of the one before.
                raise ValueError(
                    f'the column {name!r:.80} is encoded as DELTA_BYTE_ARRAY, '
                    f'whose content cannot be measured before it is read; '
                    f'write the file again, e.g. with pyarrow'
                )
            if chunk.has_dictionary_page:
                shared.add(name)
            total += max(
                chunk.total_uncompressed_size, _BYTES_A_VALUE * rows.num_rows
            )
    check_expansion(size, total)
    return [
        name for name in shared if _is_text(footer.schema_arrow.field(name))
    ]


def _is_text(field: pa.Field) -> bool:
    kind = _get_value_type(field.type)
    return (
        _has_lengths(kind)
        or pa.types.is_string_view(kind)
        or pa.types.is_binary_view(kind)
    )


def _measure(column: pa.ChunkedArray) -> int:
    """Return the bytes of a column when each row has its own value."""
    if not pa.types.is_dictionary(column.type):
        return column.nbytes
    total = _BYTES_A_VALUE * len(column)
    for chunk in column.chunks:
        words = chunk.dictionary
        if not _has_lengths(words.type):  # numbers, or views of texts
            words = words.cast(
                pa.large_binary()
                if pa.types.is_binary_view(words.type)
                else pa.large_string()
            )
        lengths = pc.binary_length(words)
        longest = len(chunk) * (pc.max(lengths).as_py() or 0)
        if longest > _SMALL:  # not a shard's keys
            longest = pc.sum(lengths.take(chunk.indices)).as_py() or 0
        total += longest
    return total


def _has_lengths(kind: pa.DataType) -> bool:
    return any(
        test(kind)
        for test in (
            pa.types.is_string,
            pa.types.is_large_string,
            pa.types.is_binary,
            pa.types.is_large_binary,
        )
    )


def _expand(column: pa.ChunkedArray, kind: pa.DataType) -> pa.ChunkedArray:
    value = _get_value_type(kind)
    return column if column.type == value else column.cast(value)


def _get_value_type(kind: pa.DataType) -> pa.DataType:
    return kind.value_type if pa.types.is_dictionary(kind) else kind

"""The manifest as a parquet file."""

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from ltvl_mm.structures.class_names import hash_class_names
from ltvl_mm.structures.manifest import MANIFEST_SCHEMA, Manifest
from ltvl_mm.structures.text_column import TextColumn, check_text
from ltvl_mm.utils.io import atomic_write
from ltvl_mm.utils.parquet_files import read_parquet
from ltvl_mm.utils.remote_paths import as_path

# Rows of a row group, pyarrow's default.
ROW_GROUP = 1 << 20


def save_manifest(path: str | Path, manifest: Manifest) -> None:
    """Write the manifest as one parquet file, atomically."""
    with open_manifest(path, manifest.class_names, manifest.source) as writer:
        for first in range(0, max(len(manifest), 1), ROW_GROUP):
            some = slice(first, first + ROW_GROUP)
            columns = {
                name: getattr(manifest, name)[some]
                for name in MANIFEST_SCHEMA.names
            }
            writer.write_table(make_manifest_table(columns, writer.schema))


@contextmanager
def open_manifest(
    path: str | Path, class_names: tuple[str, ...], source: dict
) -> Iterator[pq.ParquetWriter]:
    """Open a manifest for row groups; the file appears when it is whole.

    The rows are not checked before the file is read.

    Args:
        path: The file.
        class_names: K names that the images were retrieved for.
        source: Origin of the manifest, JSON-like.
    """
    header = {
        'format': 1,
        'class_names': class_names,
        'class_names_sha256': hash_class_names(class_names),
        'source': source,
    }
    schema = MANIFEST_SCHEMA.with_metadata(
        {'ltvl_mm': json.dumps(header, sort_keys=True)}
    )
    with (
        atomic_write(path) as file,
        pq.ParquetWriter(file, schema, compression='zstd') as writer,
    ):
        yield writer


def make_manifest_table(columns: Mapping, schema: pa.Schema) -> pa.Table:
    """Return a row group of at most ROW_GROUP rows from columns by name."""
    return pa.table(
        {
            name: column.array.cast(pa.string())
            if isinstance(column := columns[name], TextColumn)
            else column
            for name in MANIFEST_SCHEMA.names
        },
        schema=schema,
    )


def load_manifest(path: str | Path) -> Manifest:
    """Read and check a manifest.

    Raises:
        ValueError: If the file is missing, is not a manifest, or violates the
            contract of :class:`Manifest`.
    """
    if not as_path(path).is_file():
        raise ValueError(
            f'the manifest {path} does not exist; make it with '
            f'tools/retrieve.py'
        )
    try:
        table = read_parquet(path)
        header = json.loads(table.schema.metadata[b'ltvl_mm'])
        names, source = header['class_names'], header['source']
    # Broken JSON, and most of what pyarrow raises, are ValueErrors.
    except (
        ValueError,
        TypeError,
        KeyError,
        RecursionError,
        OSError,
        pa.ArrowException,
    ) as error:
        raise ValueError(f'{path} is not a manifest: {error!r:.300}') from None
    try:
        if (
            not isinstance(source, dict)
            or not isinstance(names, list)
            or not all(isinstance(name, str) for name in names)
        ):
            raise ValueError(
                'its header must hold class_names, a list of texts, and '
                'source, an object'
            )
        columns = {}
        for field in MANIFEST_SCHEMA:
            columns[field.name] = _read_column(table, field)
            # The column is a copy: Arrow's own is not needed any longer.
            table = table.drop_columns([field.name])
        manifest = Manifest(
            class_names=tuple(names),
            source=source,
            name=f'the manifest {path}',
            **columns,
        )
    except ValueError as error:
        raise ValueError(f'{path}: {error}') from None
    # Reading and checking take 230 bytes a row more than is kept, which Arrow
    # would not give back: every rank of a training loads the manifest.
    del table, columns
    pa.default_memory_pool().release_unused()
    return manifest


def _read_column(table: pa.Table, field: pa.Field) -> Any:  # noqa: ANN401
    """Return a column as the type that the manifest has.

    Raises:
        ValueError: If it is missing, has empty values, or its values are not
            of the kind of that type.
    """
    found = table.column_names.count(field.name)
    if found != 1:
        raise ValueError(
            f'expected one column {field.name}, found {found} among '
            f'{table.column_names}'
        )
    column = table[field.name]
    good = {
        pa.int32(): pa.types.is_integer,
        pa.float64(): lambda kind: (
            pa.types.is_floating(kind) or pa.types.is_integer(kind)
        ),
        pa.string(): lambda kind: (
            pa.types.is_string(kind) or pa.types.is_large_string(kind)
        ),
    }[field.type]
    if not good(column.type) or column.null_count:
        raise ValueError(
            f'the column {field.name} must be {field.type} without empty '
            f'values, got {column.type} with {column.null_count} empty values'
        )
    if field.type == pa.string():
        return check_text(column, field.name)
    # Raises ArrowInvalid, a ValueError, for a number that does not fit.
    return column.cast(field.type).to_numpy()

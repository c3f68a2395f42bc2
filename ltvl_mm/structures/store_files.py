"""The two files of a part of a store: embeddings, and what each row is.

Others wrote them, perhaps: nothing is unpickled, and every error names the
file.
"""

import hashlib
import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import cast

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from ltvl_mm.structures.remote_matrix import RemoteMatrix
from ltvl_mm.utils.parquet_files import open_arrow, read_parquet
from ltvl_mm.utils.regular_files import check_regular, open_regular
from ltvl_mm.utils.remote_errors import RemoteError
from ltvl_mm.utils.remote_paths import is_remote
from ltvl_mm.utils.text import read_text, split_lines

# Names of ours that others spell differently, their best spelling first:
# clip-retrieval, img2dataset, and LAION's lists of URLs. A URL serves as key
# where there is none; upper and lower case are one.
SPELLINGS = {
    'image_path': ('image_path', 'key', '__key__', 'SAMPLE_ID', 'url'),
    'caption': ('caption', 'TEXT'),
}

_SAMPLE_BYTES = 64 << 10


def map_matrix(file: Path) -> np.ndarray:
    """Return the (N, D) embeddings of a ``.npy`` file, memory-mapped.

    A remote file is returned as a :class:`.RemoteMatrix`, which reads only
    the rows that are indexed.

    Raises:
        ValueError: If it is not a matrix of float16 or float32.
    """
    with _naming(file, 'is not a .npy file of numbers'):
        if is_remote(file):
            matrix = cast(np.ndarray, RemoteMatrix(str(file)))
            return _check_matrix(file, matrix)
        # Not np.load: what does not begin as .npy would be a pickle to it.
        # Copy on write, as torch takes no array that is read-only.
        matrix = np.lib.format.open_memmap(file, mode='c')
    return _check_matrix(file, matrix)


def _check_matrix(file: Path, matrix: np.ndarray) -> np.ndarray:
    if matrix.ndim != 2 or matrix.dtype not in (np.float16, np.float32):
        raise ValueError(
            f'{file} holds {matrix.dtype} numbers of shape {matrix.shape}, '
            f'where a matrix of float16 or float32 is due'
        )
    return matrix


def count_lines(file: Path) -> int:
    """Return how many rows a table describes, without reading parquet."""
    if file.suffix == '.txt':
        return len(_read_keys(file))
    with _naming(file, 'is not a parquet file'):
        return pq.read_metadata(open_arrow(file)).num_rows


def find_columns(file: Path) -> tuple[str, ...]:
    """Return the names of a table's columns, as its author spelt them."""
    if file.suffix == '.txt':
        return ('image_path',)
    with _naming(file, 'is not a parquet file'):
        return tuple(pq.read_schema(open_arrow(file)).names)


def read_columns(
    file: Path, names: Sequence[str], schema: pa.Schema
) -> pa.Table:
    """Read some columns of a table, and only these.

    Args:
        file: Parquet, or a ``.txt`` with a key per line.
        names: In our spelling, or the author's.
        schema: Types of the columns whose types are ours to say.

    Returns:
        A column per name; of nulls where the table has no such column.
    """
    there = find_columns(file)
    spelt = {name: spell_column(there, name) for name in names}
    if file.suffix == '.txt':
        table = pa.table({'image_path': _read_keys(file)})
    else:
        with _naming(file, 'cannot be read'):
            table = read_parquet(
                file, sorted({column for column in spelt.values() if column})
            )
    columns = {}
    for name in names:
        column = (
            pa.nulls(len(table))
            if spelt[name] is None
            else table.column(spelt[name])
        )
        if name in schema.names:
            with _naming(file, f'has another kind of {name}'):
                column = column.cast(schema.field(name).type)
        columns[name] = column
    return pa.table(columns)


def spell_column(columns: Sequence[str], name: str) -> str | None:
    """Return how ``columns`` spell ``name``, or None if they lack it."""
    for spelling in (name, *SPELLINGS.get(name, ())):
        for match in (str, str.casefold):
            for column in columns:
                if match(column) == match(spelling):
                    return column
    return None


def digest_ends(file: Path) -> str:
    """Return a sha256 of a file's size, first and last 64 KiB.

    Tells whether a file is still the one that was indexed without reading
    terabytes; a change in the middle alone escapes it.
    """
    with open_regular(file) as handle:
        size = handle.seek(0, os.SEEK_END)
        digest = hashlib.sha256(b'%d:' % size)
        handle.seek(0)
        digest.update(handle.read(_SAMPLE_BYTES))
        handle.seek(max(0, size - _SAMPLE_BYTES))
        digest.update(handle.read(_SAMPLE_BYTES))
    return digest.hexdigest()


def _read_keys(file: Path) -> list[str]:
    with _naming(file, 'is not a list of keys'):
        # Not read_lines: a key may begin with #, or be blank.
        return split_lines(read_text(file))


@contextmanager
def _naming(file: Path, fault: str) -> Iterator[None]:
    """Turn what a broken or hostile file raises into a ValueError."""
    try:
        if not is_remote(file):  # missing ones are found when they are read
            check_regular(file)
        yield
    except FileNotFoundError:
        raise ValueError(f'{file} does not exist') from None
    except RemoteError:
        raise
    # numpy parses headers as Python literals, which fail in any way.
    except Exception as error:
        raise ValueError(f'{file} {fault}: {error!s:.200}') from error

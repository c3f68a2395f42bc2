"""A folder of image embeddings, in the layout of clip-retrieval.

``img_emb/img_emb_0.npy`` (rows x D, unit norm) and
``metadata/metadata_0.parquet`` (a line per row; ``image_path`` is the key)
are what clip-retrieval reads and writes. ``store.json`` names the encoder and
holds a digest of each part's record. The record ``parts/part_0.json`` names
the shard, lists the images that could not be read, and holds digests of both
files.

A folder that another program embedded has no such records; then
``store.json`` is an index that :mod:`ltvl_mm.structures.store_index` writes.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from ltvl_mm.structures.remote_matrix import RemoteMatrix
from ltvl_mm.structures.store_files import (
    find_columns,
    map_matrix,
    read_columns,
    spell_column,
)
from ltvl_mm.structures.store_keys import bind_keys
from ltvl_mm.structures.store_parts import (
    COLUMNS,
    METADATA,
    Part,
)
from ltvl_mm.structures.unit_norms import find_uneven_norms, find_uneven_row
from ltvl_mm.utils.io import hash_content


@dataclass(frozen=True)
class EmbeddingStore:
    """A complete store, see :func:`.open_store`; or several, searched as one.

    Args:
        root: Folder of the store; of several, of the first.
        encoder: Names architecture, weights and preprocessing.
        dim: Width D.
        parts: Parts in the order of the rows.
        others: Folders of the further stores that are searched as one.
    """

    root: Path
    encoder: dict[str, str]
    dim: int
    parts: tuple[Part, ...]
    others: tuple[Path, ...] = ()

    def __len__(self) -> int:
        return sum(part.rows for part in self.parts)

    @property
    def name(self) -> str:
        """Folder of the store, or folders of the stores, for messages."""
        return ' and '.join(map(str, (self.root, *self.others)))

    @cached_property
    def fingerprint(self) -> str:
        """sha256 of encoder, keys and embeddings.

        Stores of earlier versions did not record a digest of the keys; theirs
        is of encoder and embeddings.
        """
        return hash_content(
            [
                self.encoder,
                [
                    (part.shard, part.rows, self._find_digest(part))
                    for part in self.parts
                ],
            ]
        )

    def iterate(
        self,
        rows: int,
        start: int = 0,
        stop: int | None = None,
        *,
        check: bool = True,
    ) -> Iterator[tuple[int, np.ndarray]]:
        """Yield (number of the first row, (B, D) array), B <= ``rows``.

        Args:
            rows: Most at a time; a chunk never crosses parts.
            start: The first row.
            stop: End row, exclusive; None for the last row.
            check: True to check the norm of each row. A caller that computes
                norms anyway calls :meth:`check_norms` instead.

        Raises:
            ValueError: As :meth:`check_norms`.
        """
        stop = len(self) if stop is None else stop
        offset = 0
        for part in self.parts:
            first, last = max(start - offset, 0), min(stop - offset, part.rows)
            if first < last:
                matrix = self.map_part(part)
                for here, chunk in _iterate_rows(matrix, first, last, rows):
                    uneven = find_uneven_row(chunk) if check else None
                    if uneven is not None:
                        row = np.array([offset + here + uneven[0]])
                        self.check_norms(row, np.array([uneven[1]]))
                    yield offset + here, chunk
            offset += part.rows

    def check_norms(self, rows: np.ndarray, norms: np.ndarray) -> None:
        """Raise ValueError unless rows are finite and of unit norm (1e-3).

        Args:
            rows: (M,) numbers of the rows.
            norms: (M,) their norms.
        """
        wrong = find_uneven_norms(norms)
        if not len(wrong):
            return
        text = self.describe_norm(int(rows[wrong[0]]), float(norms[wrong[0]]))
        raise ValueError(
            f'{text}; the embeddings must be finite and L2-normalized'
        )

    def describe_norm(self, row: int, norm: float) -> str:
        """Return part, row, key and norm of an embedding for a message."""
        place = np.array([row])
        part, _, local = next(self.split_rows(place))
        key = self.read_metadata(place, ('image_path',))['image_path'][0]
        return (
            f'part {part.shard!r}, row {local[0]}: norm {norm} of key {key!r} '
            f'where 1 is due'
        )

    def read_rows(self, rows: np.ndarray, *, raw: bool = False) -> np.ndarray:
        """Return the (M, D) float32 embeddings of ``rows``, (M,) int.

        Args:
            rows: Numbers of the rows.
            raw: Keep float16 where all that is read is.
        """
        pieces = [
            (inside, self.map_part(part)[local])
            for part, inside, local in self.split_rows(rows)
        ]
        half = raw and all(piece.dtype == np.float16 for _, piece in pieces)
        found = np.empty(
            (len(rows), self.dim), np.float16 if half else np.float32
        )
        for inside, piece in pieces:
            found[inside] = piece
        return found

    def find_rows(self, keys: Sequence[str]) -> np.ndarray:
        """Return the (M,) rows of M keys; -1 where there is none."""
        wanted, offset = pa.array(keys, pa.string()), 0
        found = np.full(len(keys), -1)
        for part in self.parts:
            if part.rows:
                column = self.read_columns(part, ('image_path',)).column(0)
                places = pc.index_in(wanted, column.combine_chunks())
                local = places.fill_null(-1).to_numpy()
                found = np.where(local >= 0, offset + local, found)
            offset += part.rows
        return found

    def find_hash_recipes(self, rows: np.ndarray) -> np.ndarray:
        """Return the (M,) names of the recipes of the rows' hashes.

        Args:
            rows: (M,) numbers of the rows.
        """
        names = np.array([part.hash_recipe for part in self.parts])
        ends = np.cumsum([part.rows for part in self.parts])
        return names[np.searchsorted(ends, rows, side='right')]

    def read_metadata(
        self, rows: np.ndarray, names: Sequence[str] = tuple(METADATA.names)
    ) -> dict[str, list]:
        """Return some columns for ``rows``, (M,) int.

        A store that others made lacks some; their values are None.
        """
        columns = {name: [None] * len(rows) for name in names}
        for part, inside, local in self.split_rows(rows):
            table = self.read_columns(part, names).take(local)
            for name in names:
                values = table[name].to_pylist()
                for place, value in zip(inside, values, strict=True):
                    columns[name][place] = value
        return columns

    def find_columns(self, part: Part) -> tuple[str, ...]:
        """Return the names of a part's columns, as its author spelt them."""
        return find_columns(part.table) if part.rows else ()

    def read_columns(self, part: Part, names: Sequence[str]) -> pa.Table:
        """Return whole columns of a part, whose rows are the matrix's.

        Reads no other column of the file. One that the file lacks is null;
        case does not matter, and METADATA's names find LAION's, too.

        Raises:
            ValueError: If the table has not the rows of the matrix.
        """
        if not part.rows:
            return COLUMNS.empty_table().select([])
        table = read_columns(part.table, names, COLUMNS)
        if len(table) != part.rows:
            raise ValueError(
                f'{part.table} has {len(table)} rows, its header says '
                f'{part.rows}'
            )
        if part.prefix and 'image_path' in names:
            place = table.column_names.index('image_path')
            keys = pc.binary_join_element_wise(
                pa.scalar(part.prefix), table.column(place), ''
            )
            table = table.set_column(place, 'image_path', keys)
        return table

    def map_part(self, part: Part) -> np.ndarray:
        """Return the (rows, D) embeddings of a part, memory-mapped.

        Raises:
            ValueError: If the file has another shape or kind of number than
                the part's record says.
        """
        matrix = map_matrix(part.matrix)
        if matrix.shape != (part.rows, self.dim):
            raise ValueError(
                f'{part.matrix} has shape {matrix.shape}, its header says '
                f'{(part.rows, self.dim)}'
            )
        return matrix

    def check_columns(
        self, names: Sequence[str], purpose: str, *, remedy: str = ''
    ) -> None:
        """Raise ValueError if the first part lacks a column that is needed.

        Args:
            names: Names of the columns.
            purpose: Purpose of the columns in messages, e.g. ``'copying
                images'``.
            remedy: Sentence that ends the message.
        """
        part = next((part for part in self.parts if part.rows), None)
        there = self.find_columns(part) if part else ()
        missing = [n for n in names if spell_column(there, n) is None]
        if part and missing:
            raise ValueError(
                f'{purpose} needs the columns {", ".join(missing)}, which '
                f'{part.table} does not have; it has {", ".join(there)}'
                f'{remedy and f". {remedy}"}'
            )

    def split_rows(
        self, rows: np.ndarray
    ) -> Iterator[tuple[Part, np.ndarray, np.ndarray]]:
        """Yield (part, places in ``rows``, rows within the part)."""
        if not len(rows):
            return
        ends = np.cumsum([part.rows for part in self.parts])
        owner = np.searchsorted(ends, rows, side='right')
        order = np.argsort(owner, kind='stable')
        for inside in np.split(
            order, np.flatnonzero(np.diff(owner[order])) + 1
        ):
            number = owner[inside[0]]
            part = self.parts[number]
            yield part, inside, rows[inside] - (ends[number] - part.rows)

    def _find_digest(self, part: Part) -> str:
        if not (part.prefix and part.binding and part.rows):
            return part.binding or part.sha256
        keys = self.read_columns(part, ('image_path',)).column(0)
        return bind_keys(part.sha256, keys)


def _iterate_rows(
    matrix: np.ndarray, first: int, stop: int, rows: int
) -> Iterator[tuple[int, np.ndarray]]:
    """Yield (first row, chunk); those of a remote file are read ahead."""
    if isinstance(matrix, RemoteMatrix):
        yield from matrix.stream(first, stop, rows)
        return
    for here in range(first, stop, rows):
        yield here, matrix[here : min(here + rows, stop)]

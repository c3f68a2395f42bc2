"""A folder of image embeddings, in the layout of clip-retrieval.

``img_emb/img_emb_0.npy`` (rows x D, unit norm) and
``metadata/metadata_0.parquet`` (a line per row; ``image_path`` is the key)
are what clip-retrieval reads and writes; ``store.json`` says which encoder
made them, and ``parts/part_0.json`` what each part came from and which of its
images could not be read.

A folder that others embedded has no such headers; then ``store.json`` is an
index that :mod:`ltvl_mm.structures.store_index` writes.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from ltvl_mm.structures.store_files import (
    count_lines,
    digest_ends,
    find_columns,
    find_uneven_norms,
    find_uneven_row,
    map_matrix,
    read_columns,
    spell_column,
)
from ltvl_mm.utils.io import hash_content, read_json

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
# What filters ask for, under the names that LAION and img2dataset gave them;
# null where a sample does not say. Width and height are of the image as
# stored, the original ones of the image on the web.
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


@dataclass(frozen=True)
class Part:
    """The embeddings of one shard.

    Args:
        number: Place of the shard among all.
        shard: Its name.
        rows: Images embedded.
        sha256: Of the ``.npy`` file; '' when there are no rows (then there
            is no file: clip-retrieval's readers misalign empty ones). Where
            others wrote the files, of the ends of both.
        bad: (key, reason) of each image that could not be read.
        matrix: The ``.npy`` file.
        table: Parquet, or a ``.txt`` of keys.
    """

    number: int
    shard: str
    rows: int
    sha256: str
    bad: tuple[tuple[str, str], ...]
    matrix: Path
    table: Path


@dataclass(frozen=True)
class EmbeddingStore:
    """A complete store; see :func:`open_store`.

    Args:
        root: Its folder.
        encoder: Names architecture, weights and preprocessing.
        dim: Width D.
        parts: In the order of the rows.
    """

    root: Path
    encoder: dict[str, str]
    dim: int
    parts: tuple[Part, ...]

    def __len__(self) -> int:
        return sum(part.rows for part in self.parts)

    @property
    def fingerprint(self) -> str:
        """sha256 of encoder and embeddings: equal stores, equal numbers."""
        return hash_content(
            [
                self.encoder,
                [(part.shard, part.rows, part.sha256) for part in self.parts],
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
            stop: The last but one; None for all.
            check: Whether each row's norm is looked at here; whoever
                computes norms anyway calls :meth:`check_norms` instead.

        Raises:
            ValueError: As :meth:`check_norms`.
        """
        stop = len(self) if stop is None else stop
        offset = 0
        for part in self.parts:
            first, last = max(start - offset, 0), min(stop - offset, part.rows)
            if first < last:
                matrix = self._map_part(part)
                for here in range(first, last, rows):
                    chunk = matrix[here : min(here + rows, last)]
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
        row = rows[wrong[:1]]
        part, _, local = next(self._split_rows(row))
        key = self.read_metadata(row, ('image_path',))['image_path'][0]
        raise ValueError(
            f'part {part.shard!r}, row {local[0]}: norm {norms[wrong[0]]} of '
            f'key {key!r} where 1 is due; the embeddings must be finite and '
            f'L2-normalised'
        )

    def read_rows(self, rows: np.ndarray, *, raw: bool = False) -> np.ndarray:
        """Return the (M, D) float32 embeddings of ``rows``, (M,) int.

        Args:
            rows: Numbers of the rows.
            raw: Keep float16 where all that is read is.
        """
        pieces = [
            (inside, self._map_part(part)[local])
            for part, inside, local in self._split_rows(rows)
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

    def read_metadata(
        self, rows: np.ndarray, names: Sequence[str] = tuple(METADATA.names)
    ) -> dict[str, list]:
        """Return some columns for ``rows``, (M,) int.

        A store that others made lacks some; their values are None.
        """
        columns = {name: [None] * len(rows) for name in names}
        for part, inside, local in self._split_rows(rows):
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
        return table

    def check_columns(self, names: Sequence[str], purpose: str) -> None:
        """Raise ValueError if the first part lacks a column that is needed.

        Args:
            names: Of the columns.
            purpose: What they are needed for, e.g. ``'copying images'``.
        """
        part = next((part for part in self.parts if part.rows), None)
        there = self.find_columns(part) if part else ()
        missing = [n for n in names if spell_column(there, n) is None]
        if part and missing:
            raise ValueError(
                f'{purpose} needs the columns {", ".join(missing)}, which '
                f'{part.table} does not have; it has {", ".join(there)}'
            )

    def _split_rows(
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

    def _map_part(self, part: Part) -> np.ndarray:
        matrix = map_matrix(part.matrix)
        if matrix.shape != (part.rows, self.dim):
            raise ValueError(
                f'{part.matrix} has shape {matrix.shape}, its header says '
                f'{(part.rows, self.dim)}'
            )
        return matrix


def locate_part(root: Path, kind: str, number: int, total: int) -> Path:
    """Return a part's file, numbered as clip-retrieval does.

    Args:
        root: The store.
        kind: ``'img_emb'``, ``'metadata'`` or ``'part'``.
        number: Of the part.
        total: How many parts there are; decides the width of the number.
    """
    folder = 'parts' if kind == 'part' else kind
    suffix = {'img_emb': 'npy', 'metadata': 'parquet', 'part': 'json'}[kind]
    digits = len(str(max(total - 1, 0)))
    return root / folder / f'{kind}_{number:0{digits}d}.{suffix}'


def read_part(root: Path, total: int, number: int) -> Part | None:
    """Return a part that an earlier run finished, or None."""
    file = locate_part(root, 'part', number, total)
    if not file.exists():
        return None
    record = read_json(file)
    bad = tuple((key, reason) for key, reason in record.pop('bad'))
    return Part(
        **record,
        bad=bad,
        matrix=locate_part(root, 'img_emb', number, total),
        table=locate_part(root, 'metadata', number, total),
    )


def open_store(root: str | Path) -> EmbeddingStore:
    """Open a complete store, or an index of one that others made.

    Raises:
        ValueError: If there is none, a part is missing, or an indexed file
            has changed.
    """
    root = Path(root)
    if not (root / 'store.json').is_file():
        raise ValueError(
            f'there is no complete embedding store in {root}; make or finish '
            f'it with tools/embed_images.py, or, if others made it, say by '
            f'which encoder with tools/index_store.py'
        )
    header = read_json(root / 'store.json')
    parts = (
        [
            _open_indexed(root, number, record)
            for number, record in enumerate(header['indexed'])
        ]
        if 'indexed' in header
        else [
            read_part(root, header['parts'], number)
            for number in range(header['parts'])
        ]
    )
    if None in parts:
        raise ValueError(f'{root}: part {parts.index(None)} is missing')
    return EmbeddingStore(root, header['encoder'], header['dim'], tuple(parts))


def _open_indexed(root: Path, number: int, record: dict) -> Part:
    matrix, table = root / record['matrix'], root / record['table']
    part = index_part(number, matrix, table)
    if (part.rows, part.sha256) != (record['rows'], record['sha256']):
        raise ValueError(
            f'{matrix} or {table} has changed since it was indexed; if that '
            f'is right, index again with tools/index_store.py'
        )
    return part


def index_part(number: int, matrix: Path, table: Path) -> Part:
    """Return the part that two files of others make.

    Raises:
        ValueError: If a file is missing or broken, or they differ in rows.
    """
    rows, lines = len(map_matrix(matrix)), count_lines(table)
    if rows != lines:
        raise ValueError(f'{matrix} has {rows} rows, but {table} has {lines}')
    sha256 = hash_content([digest_ends(matrix), digest_ends(table)])
    return Part(number, matrix.stem, rows, sha256, (), matrix, table)

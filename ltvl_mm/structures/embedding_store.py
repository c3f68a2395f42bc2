"""A folder of image embeddings, in the layout of clip-retrieval.

``img_emb/img_emb_0.npy`` (rows x D, unit norm) and
``metadata/metadata_0.parquet`` (a line per row; ``image_path`` is the key)
are what clip-retrieval reads and writes; ``store.json`` says which encoder
made them, and ``parts/part_0.json`` what each part came from and which of its
images could not be read.
"""

from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from ltvl_mm.utils.io import (
    atomic_write,
    claim_folder,
    hash_content,
    hash_file,
    read_json,
    remove_temporaries,
    write_json,
)

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


@dataclass(frozen=True)
class Part:
    """The embeddings of one shard.

    Args:
        number: Place of the shard among all.
        shard: Its name.
        rows: Images embedded.
        sha256: Of the ``.npy`` file; '' when there are no rows (then there
            is no file: clip-retrieval's readers misalign empty ones).
        bad: (key, reason) of each image that could not be read.
    """

    number: int
    shard: str
    rows: int
    sha256: str
    bad: tuple[tuple[str, str], ...]


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
        self, rows: int, start: int = 0, stop: int | None = None
    ) -> Iterator[tuple[int, np.ndarray]]:
        """Yield (number of the first row, (B, D) array), B <= ``rows``.

        Args:
            rows: Most at a time; a chunk never crosses parts.
            start: The first row.
            stop: The last but one; None for all.
        """
        stop = len(self) if stop is None else stop
        offset = 0
        for part in self.parts:
            first, last = max(start - offset, 0), min(stop - offset, part.rows)
            if first < last:
                matrix = self._map_part(part)
                for here in range(first, last, rows):
                    chunk = matrix[here : min(here + rows, last)]
                    yield offset + here, chunk
            offset += part.rows

    def check_norms(self, rows: np.ndarray, norms: np.ndarray) -> None:
        """Raise ValueError unless rows are finite and of unit norm (1e-3).

        Args:
            rows: (M,) numbers of the rows.
            norms: (M,) their norms.
        """
        # NaN fails every comparison, so that this finds it, too.
        wrong = np.flatnonzero(~(np.abs(norms - 1) <= 1e-3))
        if not len(wrong):
            return
        row = rows[wrong[:1]]
        part, _, local = next(self._split_rows(row))
        key = self.read_metadata(row)['image_path'][0]
        raise ValueError(
            f'part {part.shard!r}, row {local[0]} ({key}): norm '
            f'{norms[wrong[0]]} where 1 is due; the embeddings must be '
            f'finite and L2-normalised'
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

    def read_metadata(self, rows: np.ndarray) -> dict[str, list]:
        """Return the columns of METADATA for ``rows``, (M,) int."""
        columns = {name: [None] * len(rows) for name in METADATA.names}
        for part, inside, local in self._split_rows(rows):
            file = self._path(part, 'metadata')
            table = pq.read_table(file, schema=METADATA)
            if len(table) != part.rows:
                raise ValueError(
                    f'{file} has {len(table)} rows, its header says '
                    f'{part.rows}'
                )
            table = table.take(local)
            for name in METADATA.names:
                values = table[name].to_pylist()
                for place, value in zip(inside, values, strict=True):
                    columns[name][place] = value
        return columns

    def _split_rows(
        self, rows: np.ndarray
    ) -> Iterator[tuple[Part, np.ndarray, np.ndarray]]:
        start = 0
        for part in self.parts:
            inside = np.flatnonzero(
                (rows >= start) & (rows < start + part.rows)
            )
            if len(inside):
                yield part, inside, rows[inside] - start
            start += part.rows

    def _map_part(self, part: Part) -> np.ndarray:
        matrix = np.load(
            # Copy on write: torch warns of arrays that it may not write to.
            self._path(part, 'img_emb'),
            mmap_mode='c',
            allow_pickle=False,
        )
        if matrix.shape != (part.rows, self.dim):
            raise ValueError(
                f'{self._path(part, "img_emb")} has shape {matrix.shape}, '
                f'its header says {(part.rows, self.dim)}'
            )
        return matrix

    def _path(self, part: Part, kind: str) -> Path:
        return locate_part(self.root, kind, part.number, len(self.parts))


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


def write_part(
    root: Path,
    total: int,
    number: int,
    shard: str,
    embeddings: np.ndarray,
    metadata: dict[str, list],
    bad: list[tuple[str, str]],
) -> Part:
    """Write one part; its json, written last, makes it valid."""
    sha256 = ''
    if len(embeddings):
        file = locate_part(root, 'img_emb', number, total)
        with atomic_write(file) as handle:
            np.save(handle, embeddings, allow_pickle=False)
        sha256 = hash_file(file)
        with atomic_write(
            locate_part(root, 'metadata', number, total)
        ) as handle:
            pq.write_table(
                pa.table(metadata, schema=METADATA), handle, compression='zstd'
            )
    part = Part(number, shard, len(embeddings), sha256, tuple(bad))
    write_json(locate_part(root, 'part', number, total), asdict(part))
    return part


def read_part(root: Path, total: int, number: int) -> Part | None:
    """Return a part that an earlier run finished, or None."""
    file = locate_part(root, 'part', number, total)
    if not file.exists():
        return None
    record = read_json(file)
    bad = tuple((key, reason) for key, reason in record.pop('bad'))
    return Part(**record, bad=bad)


def begin_store(root: Path, settings: dict) -> None:
    """Start a store, or go on with one begun with the same settings.

    Raises:
        ValueError: If ``root`` was begun with others; names what differs.
    """
    claim_folder(root, settings)
    for folder in ('img_emb', 'metadata', 'parts'):
        (root / folder).mkdir(parents=True, exist_ok=True)
        remove_temporaries(root / folder)


def finish_store(
    root: Path, encoder: dict[str, str], dim: int, parts: list[Part]
) -> EmbeddingStore:
    """Write ``store.json`` and ``bad_images.json``; the store is complete."""
    store = EmbeddingStore(root, encoder, dim, tuple(parts))
    write_json(
        root / 'bad_images.json',
        [
            {'key': key, 'reason': reason}
            for part in parts
            for key, reason in part.bad
        ],
    )
    write_json(
        root / 'store.json',
        {
            'format': 1,
            'encoder': encoder,
            'dim': dim,
            'normalised': True,
            'rows': len(store),
            'parts': len(parts),
            'bad_images': sum(len(part.bad) for part in parts),
            'fingerprint': store.fingerprint,
        },
    )
    return store


def open_store(root: str | Path) -> EmbeddingStore:
    """Open a complete store.

    Raises:
        ValueError: If there is none, or a part is missing.
    """
    root = Path(root)
    if not (root / 'store.json').is_file():
        raise ValueError(
            f'there is no complete embedding store in {root}; make or finish '
            f'it with tools/embed_images.py'
        )
    header = read_json(root / 'store.json')
    parts = [
        read_part(root, header['parts'], number)
        for number in range(header['parts'])
    ]
    if None in parts:
        raise ValueError(f'{root}: part {parts.index(None)} is missing')
    return EmbeddingStore(root, header['encoder'], header['dim'], tuple(parts))

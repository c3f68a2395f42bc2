"""An index of embeddings that others made; nothing is copied.

Two layouts: clip-retrieval's (``img_emb/img_emb_7.npy`` beside
``metadata/metadata_7.parquet``, as LAION publishes it), and ``.npy`` files
with a ``.parquet`` or a ``.txt`` of one key per line under the same name.
"""

import re
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np

from ltvl_mm.structures.embedding_store import EmbeddingStore
from ltvl_mm.structures.store_check import check_store
from ltvl_mm.structures.store_digests import digest_file
from ltvl_mm.structures.store_files import (
    count_lines,
    find_columns,
    map_matrix,
    spell_column,
)
from ltvl_mm.structures.store_parts import (
    INDEX_DIGESTS,
    Part,
)
from ltvl_mm.structures.store_reader import index_part, open_store, read_header
from ltvl_mm.structures.store_writer import describe_store
from ltvl_mm.structures.unit_norms import find_uneven_norms, find_uneven_row
from ltvl_mm.utils.io import hash_content, write_json
from ltvl_mm.utils.lock import locks_output
from ltvl_mm.utils.progress import progress_bar
from ltvl_mm.utils.remote_paths import as_path

# Looked at in each part, so that a wrong one is found now, not in hours.
_ROWS_CHECKED = 1000


@locks_output('out', 'folder')
def index_store(
    folder: str | Path,
    encoder: dict[str, str],
    *,
    out: str | Path | None = None,
    check: Callable[[EmbeddingStore], object] | None = None,
) -> EmbeddingStore:
    """Write ``store.json`` for embeddings that others made, and open it.

    Args:
        folder: Folder of the embeddings.
        encoder: Encoder of the embeddings, given by the caller because the
            files do not contain it.
        out: Folder for the index; None for ``folder`` itself. Elsewhere the
            index names the files by absolute paths.
        check: Function that raises an error for embeddings that are wrong;
            it is called before anything is written. None for no such check.

    Raises:
        ValueError: If files lack their partner, differ in rows, width or
            layout, have no key, have null or repeated keys, or are not
            L2-normalized; there is no row; or ``out`` holds another store.
    """
    folder = as_path(folder)
    out = folder if out is None else as_path(out)
    _check_free(out)
    parts = _index_parts(_find_pairs(folder))
    if parts and not any(part.rows for part in parts):
        raise ValueError(
            f'the {len(parts)} parts of {folder} hold no row, such as '
            f'{parts[0].matrix}; embed the images again'
        )
    dim = _check_parts([part for part in parts if part.rows], folder)
    found = EmbeddingStore(folder, encoder, dim, tuple(parts))
    with progress_bar(total=len(found), title='check keys', unit='img') as bar:
        check_store(found, checksums=False, progress=bar.update)
    if check is not None:
        check(found)
    parts = _digest_parts(parts)
    store = EmbeddingStore(out, encoder, dim, tuple(parts))
    base = folder if out == folder else None
    write_json(
        out / 'store.json',
        {
            **describe_store(store),
            'fingerprint': store.fingerprint,
            'indexed': [
                {
                    'rows': part.rows,
                    'sha256': part.sha256,
                    **{name: getattr(part, name) for name in INDEX_DIGESTS},
                    'matrix': _name_file(part.matrix, base),
                    'table': _name_file(part.table, base),
                }
                for part in parts
            ],
        },
    )
    return open_store(out)


def _check_free(out: Path) -> None:
    file = out / 'store.json'
    if (out / 'settings.json').exists() or (
        file.exists() and 'indexed' not in read_header(file)
    ):
        raise ValueError(
            f'{out} is a store of tools/embed_images.py, which needs no index'
        )


def _find_pairs(folder: Path) -> list[tuple[Path, Path]]:
    """Return (matrix, table) of each part, in the order of their numbers.

    Numbers, not names, make a pair and the order: they may be padded or
    not, and have gaps where a part had no image.
    """
    if not (folder / 'img_emb').is_dir():
        return [
            (matrix, _find_table(matrix))
            for matrix in sorted(folder.glob('*.npy'), key=_sort_by_numbers)
        ]
    matrices = _number_files(folder / 'img_emb', '.npy')
    tables = _number_files(folder / 'metadata', '.parquet')
    for number, matrix in matrices.items():
        if number not in tables:
            raise ValueError(f'{matrix} has no metadata of its number')
    for number, table in tables.items():
        if number not in matrices and count_lines(table):
            raise ValueError(f'{table} has no embeddings of its number')
    return [(matrices[n], tables[n]) for n in sorted(matrices)]


def _index_parts(pairs: list[tuple[Path, Path]]) -> list[Part]:
    return [
        index_part(number, matrix, table)
        for number, (matrix, table) in enumerate(pairs)
    ]


def _digest_parts(parts: list[Part]) -> list[Part]:
    """Return the parts with the digests of their files."""
    digested = []
    with progress_bar(total=len(parts), title='index', unit='part') as bar:
        for part in parts:
            matrix_sha256, matrix_xxh3 = digest_file(part.matrix)
            table_sha256, table_xxh3 = digest_file(part.table)
            digested.append(
                replace(
                    part,
                    matrix_sha256=matrix_sha256,
                    matrix_xxh3=matrix_xxh3,
                    table_sha256=table_sha256,
                    table_xxh3=table_xxh3,
                    binding=hash_content([matrix_sha256, table_sha256]),
                )
            )
            bar.update()
    return digested


def _number_files(folder: Path, suffix: str) -> dict[int, Path]:
    files: dict[int, Path] = {}
    for file in sorted(folder.glob(f'*{suffix}')):
        found = re.fullmatch(r'.*?_?(\d+)', file.stem)
        if found is None:
            raise ValueError(f'{file} has no number at the end of its name')
        other = files.setdefault(int(found[1]), file)
        if other != file:
            raise ValueError(f'{other} and {file} have the same number')
    return files


def _sort_by_numbers(file: Path) -> list[tuple[int, str]]:
    """Return a key by which ``part_10`` comes after ``part_9``."""
    return [
        (int(word), '') if word.isdecimal() else (-1, word)
        for word in re.split(r'(\d+)', file.stem)
    ]


def _find_table(matrix: Path) -> Path:
    found = [
        matrix.with_suffix(suffix)
        for suffix in ('.parquet', '.txt')
        if matrix.with_suffix(suffix).is_file()
    ]
    if len(found) != 1:
        raise ValueError(
            f'{matrix} needs its keys beside it in a .parquet or a .txt file '
            f'of the same name; there are {len(found)}'
        )
    return found[0]


def _check_parts(parts: list[Part], folder: Path) -> int:
    """Return the width of all parts."""
    if not parts:
        raise ValueError(
            f'{folder} has neither img_emb/ and metadata/ nor .npy files with '
            f'embeddings'
        )
    dim = map_matrix(parts[0].matrix).shape[1]
    for part in parts:
        matrix = map_matrix(part.matrix)
        if matrix.shape[1] != dim:
            raise ValueError(
                f'{part.matrix} has width {matrix.shape[1]}, '
                f'{parts[0].matrix} has {dim}'
            )
        checked = matrix[:_ROWS_CHECKED]
        uneven = find_uneven_row(checked)
        norms = np.linalg.norm(checked.astype(np.float32), axis=1)
        # A retrieval skips few bad rows; a matrix of them is of another kind.
        if uneven and 2 * len(find_uneven_norms(norms)) > len(checked):
            raise ValueError(
                f'{part.matrix}, row {uneven[0]}: norm {uneven[1]} where 1 is '
                f'due; the embeddings must be finite and L2-normalized'
            )
        columns = find_columns(part.table)
        if spell_column(columns, 'image_path') is None:
            raise ValueError(
                f'{part.table} has neither image_path nor key nor url, but '
                f'{", ".join(columns)}'
            )
    return dim


def _name_file(file: Path, base: Path | None) -> str:
    return str(file.relative_to(base) if base else file.absolute())

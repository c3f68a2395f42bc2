"""Check the files of a store before it is searched."""

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import numpy as np
import torch

from ltvl_mm.structures.embedding_store import EmbeddingStore
from ltvl_mm.structures.store_digests import matches_digest
from ltvl_mm.structures.store_keys import find_repeated, hash_keys
from ltvl_mm.structures.store_parts import Part

# Rows with equal hashes whose keys are compared at once.
_COMPARED = 10_000


@dataclass(frozen=True)
class PartCheck:
    """Result of checking some parts of a store.

    Args:
        hashes: Part index -> (rows,) uint64 hashes of its keys.
        error: Message about the first wrong part, or None.
    """

    hashes: dict[int, np.ndarray]
    error: str | None


def check_store(
    store: EmbeddingStore,
    *,
    checksums: bool = True,
    progress: Callable[[int], object] = lambda rows: None,
) -> None:
    """Check all files and keys of a store.

    Args:
        store: The store.
        checksums: True to compare the files with their recorded digests.
            Shapes, kinds of number and keys are always checked.
        progress: Called with the number of rows checked since the last call.

    Raises:
        ValueError: If a file differs from its record, or a key is missing or
            repeated; names file or key.
    """
    checked = check_parts(
        store,
        range(len(store.parts)),
        checksums=checksums,
        progress=progress,
    )
    if checked.error is not None:
        raise ValueError(checked.error)
    check_unique_keys(store, checked.hashes)


def check_parts(
    store: EmbeddingStore,
    numbers: Sequence[int],
    *,
    checksums: bool = True,
    progress: Callable[[int], object] = lambda rows: None,
) -> PartCheck:
    """Check some parts of a store; never raises for what is in the files.

    Args:
        store: The store.
        numbers: Indices of the parts.
        checksums: True to compare the files with their recorded checksums.
        progress: Called with the number of rows checked since the last call.
    """

    def check(number: int) -> np.ndarray:
        return _check_part(store, store.parts[number], checksums=checksums)

    hashes = {}
    # xxhash, hashlib, pyarrow and reading files release Python's lock.
    with ThreadPoolExecutor(torch.get_num_threads()) as pool:
        found = pool.map(check, numbers)
        try:
            for number in numbers:
                hashes[number] = next(found)
                progress(store.parts[number].rows)
        except (ValueError, OSError) as error:
            pool.shutdown(cancel_futures=True)
            return PartCheck(hashes, str(error))
    return PartCheck(hashes, None)


def check_unique_keys(
    store: EmbeddingStore, hashes: dict[int, np.ndarray]
) -> None:
    """Raise ValueError if a key is repeated; names both rows.

    Args:
        store: The store.
        hashes: Hashes of the keys of all parts, by :func:`check_parts`.
    """
    whole = np.concatenate(
        [hashes[number] for number in range(len(store.parts))]
    )
    rows = find_repeated(whole)
    rows = rows[np.argsort(whole[rows], kind='stable')]
    for first in range(0, len(rows), _COMPARED):
        seen: dict[str, int] = {}
        some = rows[first : first + _COMPARED]
        keys = store.read_metadata(some, ('image_path',))['image_path']
        for row, key in zip(some.tolist(), keys, strict=True):
            if key in seen:
                raise ValueError(
                    f'the key {key!r} is repeated in the store {store.name}: '
                    f'{_name_row(store, seen[key])} and '
                    f'{_name_row(store, row)}. Each image needs a key of its '
                    f'own: rename or remove one, and embed or index again'
                )
            seen[key] = row


def find_unrecorded(store: EmbeddingStore) -> str | None:
    """Return a sentence about digests that a store does not have, or None."""
    parts = [part for part in store.parts if part.rows]
    lacking = {
        name: sum(not getattr(part, field) for part in parts)
        for name, field in (
            ('embeddings', 'matrix_sha256'),
            ('metadata', 'table_sha256'),
            ('keys', 'binding'),
        )
    }
    listed = ', '.join(
        f'{name} ({count} of {len(parts)} parts)'
        for name, count in lacking.items()
        if count
    )
    if not listed:
        return None
    return (
        f'the store {store.name} was written by an earlier version, which '
        f'recorded no checksums of: {listed}. These are not verified; embed '
        f'or index again to record them'
    )


def _check_part(
    store: EmbeddingStore, part: Part, *, checksums: bool
) -> np.ndarray:
    """Return the hashes of a part's keys, or raise ValueError."""
    if not part.rows:
        return np.empty(0, np.uint64)
    store.map_part(part)
    if checksums:
        for file, sha256, xxh3 in (
            (part.matrix, part.matrix_sha256, part.matrix_xxh3),
            (part.table, part.table_sha256, part.table_xxh3),
        ):
            if not matches_digest(file, sha256, xxh3):
                raise ValueError(
                    f'{file} (shard {part.shard!r}) is not the file that was '
                    f'written: its checksum differs from the recorded one. '
                    f'Restore the file from a copy; or delete it and run '
                    f'tools/embed_images.py again, or, if another program '
                    f'wrote it, tools/index_store.py. Use --no-verify only '
                    f'if the change is intended'
                )
    keys = store.read_columns(part, ('image_path',)).column(0)
    if keys.null_count:
        row = np.flatnonzero(keys.is_null().to_numpy())[0]
        raise ValueError(
            f'{part.table}, row {row}: the key is null ({keys.null_count} '
            f'such rows). Each image needs a key of its own'
        )
    return hash_keys(keys)


def _name_row(store: EmbeddingStore, row: int) -> str:
    for part in store.parts:
        if row < part.rows:
            return f'row {row} of {part.table}'
        row -= part.rows
    raise IndexError(row)

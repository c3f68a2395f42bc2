"""Numbers of a store's parts: find, move and remove their files.

Parts are numbered in the order of their shards' names, as clip-retrieval
reads them, so that a store which got new shards equals one made in one go.
New shards therefore move older parts to other numbers.
"""

import os
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

from ltvl_mm.structures.store_parts import Part, locate_part
from ltvl_mm.structures.store_reader import parse_record
from ltvl_mm.utils.io import hash_content
from ltvl_mm.utils.remote_calls import run_in_parallel
from ltvl_mm.utils.remote_paths import is_remote

_KINDS = {'img_emb': 'npy', 'metadata': 'parquet'}


def find_parts(root: Path) -> dict[Path, Part]:
    """Return the finished parts of a store by the file of their record.

    Raises:
        ValueError: If a record is broken, or two are of one shard.
    """
    found: dict[Path, Part] = {}
    files: dict[str, Path] = {}
    folder = root / 'parts'
    records = sorted(folder.glob('part_*.json'))
    records += sorted(folder.glob('.moving-*.json'))
    exists = make_exists(root)
    for file, part in zip(records, _read_records(root, records), strict=True):
        other = files.setdefault(part.shard, file)
        is_copy = other != file and found[other].digest == part.digest
        if is_copy and is_remote(root):
            # A move that was interrupted between copying and deleting.
            other.unlink()
            del found[other]
            files[part.shard] = file
        elif other != file:
            raise ValueError(
                f'{other} and {file} are both of the shard {part.shard!r}; '
                f'delete the one that does not belong to this store'
            )
        found[file] = _find_moving(root, part, exists)
    return found


def make_exists(root: Path) -> Callable[[Path], bool]:
    """Return a test whether a file of a part exists.

    A remote store is listed once, because each question would be a request.
    """
    if not is_remote(root):
        return Path.exists
    present = {
        file
        for folder in (*_KINDS, 'parts')
        for file in (root / folder).glob('*')
    }
    return present.__contains__


def remove_part(file: Path, part: Part) -> None:
    """Delete a part from :func:`find_parts`: first its record, then files."""
    file.unlink()
    part.matrix.unlink(missing_ok=True)
    part.table.unlink(missing_ok=True)


def move_parts(root: Path, shards: Sequence[str]) -> None:
    """Give each part the number of its shard among ``shards``.

    A kill at any moment leaves a state from which this function continues,
    with the same or with other shards: files first get a name made of the
    shard's, then the final one. A record has the shard's name only after the
    files have it, and loses it before they do. So the files of a numbered
    record are those named after the shard if they exist, else those of its
    number.

    Args:
        root: Folder of the store.
        shards: Names of all shards, in order; all parts' are among them.
    """
    total = len(shards)
    numbers = {shard: number for number, shard in enumerate(shards)}
    parts = find_parts(root)
    finals = {
        part.shard: locate_part(root, 'part', numbers[part.shard], total)
        for part in parts.values()
    }
    for file, part in parts.items():
        if file == finals[part.shard] or file.name.startswith('.moving-'):
            continue
        for kind, current in _list_files(part):
            if current.exists():
                _move(current, _moving(root, kind, part.shard))
        _move(file, _moving(root, 'part', part.shard))
    exists = make_exists(root)
    for part in parts.values():
        record = _moving(root, 'part', part.shard)
        if exists(record):
            _move(record, finals[part.shard])
        for kind in _KINDS:
            moving = _moving(root, kind, part.shard)
            if exists(moving):
                number = numbers[part.shard]
                _move(moving, locate_part(root, kind, number, total))
    _remove_strays(root)


def _move(file: Path, target: Path) -> None:
    if is_remote(file):
        file.replace(target)
    else:
        os.replace(file, target)


def _list_files(part: Part) -> list[tuple[str, Path]]:
    return [('img_emb', part.matrix), ('metadata', part.table)]


def _read_records(root: Path, files: Sequence[Path]) -> list[Part]:
    def read(file: Path) -> Part:
        name = file.stem.removeprefix('part')
        return parse_record(
            file,
            0,
            root / 'img_emb' / f'img_emb{name}.npy',
            root / 'metadata' / f'metadata{name}.parquet',
        )

    if is_remote(root):
        return run_in_parallel(read, files)
    return list(map(read, files))


def _find_moving(
    root: Path, part: Part, exists: Callable[[Path], bool]
) -> Part:
    """Return the part with the files that are named after its shard."""
    matrix, table = (
        moving if exists(moving) else current
        for kind, current in _list_files(part)
        for moving in (_moving(root, kind, part.shard),)
    )
    return replace(part, matrix=matrix, table=table)


def _moving(root: Path, kind: str, shard: str) -> Path:
    """Return the name of a part's file while it gets another number."""
    folder, suffix = (
        ('parts', 'json') if kind == 'part' else (kind, _KINDS[kind])
    )
    return root / folder / f'.moving-{hash_content(shard)[:32]}.{suffix}'


def _remove_strays(root: Path) -> None:
    """Delete the files of parts that were never finished."""
    owned = {
        file
        for part in find_parts(root).values()
        if part.rows
        for _, file in _list_files(part)
    }
    for kind, suffix in _KINDS.items():
        for pattern in (f'{kind}_*.{suffix}', f'.moving-*.{suffix}'):
            for file in (root / kind).glob(pattern):
                if file not in owned:
                    file.unlink()

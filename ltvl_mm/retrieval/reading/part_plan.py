"""Decide which shards of a store are to be embedded."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from mmengine.logging import print_log

from ltvl_mm.retrieval.reading.shard_changes import (
    describe_shard,
    find_change,
    has_same_content,
)
from ltvl_mm.retrieval.reading.shards import Shard
from ltvl_mm.structures.store_numbering import (
    find_parts,
    make_exists,
    move_parts,
    remove_part,
)
from ltvl_mm.structures.store_parts import Part
from ltvl_mm.structures.store_reader import read_header
from ltvl_mm.utils.io import write_json
from ltvl_mm.utils.remote_calls import run_in_parallel
from ltvl_mm.utils.remote_paths import is_remote

_LISTED = 5


@dataclass(frozen=True)
class PartPlan:
    """Remaining shards to embed.

    Args:
        missing: Indices of the shards without a valid part.
        sources: State of each shard's files, by ``describe_shard``.
    """

    missing: list[int]
    sources: list[dict]


def plan_parts(
    root: Path,
    shards: Sequence[Shard],
    store: str,
    *,
    check_content: bool = False,
    remove_missing: bool = False,
) -> PartPlan:
    """Keep the parts that are valid, and give them their numbers.

    A part is removed, to be made again, if its shard's files changed, its
    own files are missing, or its record is not one of this store's.

    Args:
        root: Folder of the store.
        shards: All shards, in the order of their names.
        store: Identifier of the store.
        check_content: True to compare the images' bytes as well.
        remove_missing: True to remove parts of shards that are not among
            ``shards``.

    Raises:
        ValueError: If the store has parts of other shards and
            ``remove_missing`` is not set.
    """
    parts = find_parts(root)
    known = {shard.name: number for number, shard in enumerate(shards)}
    _check_given(root, parts, known, remove_missing=remove_missing)
    sources = _describe_shards(shards)
    valid = _read_digests(root)
    exists = make_exists(root)
    stale: dict[str, str] = {}
    kept: dict[str, dict] = {}
    why: str | None
    for part in parts.values():
        number = known.get(part.shard)
        if number is None:
            stale[part.shard] = 'its shard is not among the inputs'
            continue
        if valid is not None and part.digest not in valid:
            why = 'its record is not the one the store was finished with'
        elif part.store not in ('', store):
            why = 'it belongs to another store'
        elif part.rows and not (exists(part.matrix) and exists(part.table)):
            why = 'its files are missing'
        else:
            why = _find_stale(
                part, shards[number], sources[number], check_content
            )
        if why is None:
            kept[part.shard] = sources[number]
        else:
            stale[part.shard] = why
    if stale or len(kept) < len(shards) or check_content:
        # From here on the store is incomplete.
        (root / 'store.json').unlink(missing_ok=True)
    for file, part in parts.items():
        if part.shard in stale:
            remove_part(file, part)
        elif check_content and part.source != kept[part.shard]:
            record = replace(part, source=kept[part.shard]).record
            write_json(file, record)
    _report(stale, tuple(parts.values()))
    move_parts(root, [shard.name for shard in shards])
    missing = [n for name, n in known.items() if name not in kept]
    return PartPlan(missing, sources)


def _describe_shards(shards: Sequence[Shard]) -> list[dict]:
    if any(is_remote(shard.tar) for shard in shards):
        return run_in_parallel(describe_shard, shards)
    return [describe_shard(shard) for shard in shards]


def _check_given(
    root: Path,
    parts: dict[Path, Part],
    known: dict[str, int],
    *,
    remove_missing: bool,
) -> None:
    absent = sorted(
        part.shard for part in parts.values() if part.shard not in known
    )
    if absent and not remove_missing:
        raise ValueError(
            f'the store {root} has {len(absent)} shards that are not among '
            f'the inputs: {_list(absent)}. Give all inputs of the store, '
            f'those that it has and the new ones (tars with equal names are '
            f'named with their folder); or remove these shards from the store '
            f'with --remove-missing'
        )


def _find_stale(
    part: Part,
    shard: Shard,
    source: dict,
    check_content: bool,
) -> str | None:
    """Return why a part no longer fits its shard, or None.

    With ``check_content``, a file whose size or time alone has changed, and
    whose images are the same, keeps its part.
    """
    change = find_change(part, source)
    if not check_content:
        return change and f'changed {change}'
    moved = part.source is not None and any(
        part.source.get(name) != source.get(name) for name in ('path', 'paths')
    )
    if moved or (change and part.bad) or not has_same_content(part, shard):
        return f'changed {change or "content"}'
    return None


def _read_digests(root: Path) -> set[str] | None:
    """Return the digests of a complete store's records; None if unknown."""
    file = root / 'store.json'
    records = read_header(file).get('records') if file.is_file() else None
    return None if records is None else set(records)


def _report(stale: dict[str, str], parts: Sequence[Part]) -> None:
    if stale:
        listed = _list([f'{name} ({why})' for name, why in stale.items()])
        print_log(
            f'{len(stale)} finished shards are not kept: {listed}',
            'current',
            level=30,
        )
    unknown = [
        part.shard
        for part in parts
        if part.source is None and part.shard not in stale
    ]
    if unknown:
        print_log(
            f'{len(unknown)} shards were embedded by an earlier version, '
            f'which did not record the size and time of their files: they '
            f'are kept. Use --check-content to compare their images',
            'current',
            level=30,
        )


def _list(words: Sequence[str]) -> str:
    rest = len(words) - _LISTED
    more = [f'and {rest} more'] if rest > 0 else []
    return ', '.join([*words[:_LISTED], *more])

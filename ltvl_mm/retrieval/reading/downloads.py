"""Count failed downloads, as img2dataset recorded them."""

import json
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from ltvl_mm.retrieval.reading.parquet_rows import count_status
from ltvl_mm.retrieval.reading.shards import Shard
from ltvl_mm.utils.io import read_json, write_json
from ltvl_mm.utils.regular_files import read_regular

_NUMBERS = ('count', 'successes', 'failed_to_download', 'failed_to_resize')
# The list of error messages has at most 100,000 entries.
_MAX_STATS_BYTES = 64 << 20


FILE = 'downloads.json'


@dataclass(frozen=True)
class DownloadCounts:
    """img2dataset's own counts, summed over the shards that have them.

    Args:
        count: Addresses.
        successes: Images that were downloaded.
        failed_to_download: Addresses that gave no image.
        failed_to_resize: Images that could not be decoded or resized.
        known: Shards with counts.
        shards: All shards: tars, parquet files and folders of image files.
    """

    count: int
    successes: int
    failed_to_download: int
    failed_to_resize: int
    known: int
    shards: int

    def __str__(self) -> str:
        part = f'{self.known} of {self.shards} shards have counts'
        return (
            f'img2dataset: {self.count:,} addresses, {self.successes:,} '
            f'downloaded, {self.failed_to_download:,} failed to download, '
            f'{self.failed_to_resize:,} failed to resize'
            + ('' if self.known == self.shards else f' ({part})')
        )


def count_downloads(shards: Sequence[Shard]) -> DownloadCounts | None:
    """Sum the ``*_stats.json`` next to shards; None if there are none.

    A parquet file without stats is counted by its ``status`` column.
    """
    total: Counter[str] = Counter()
    known = places = 0
    for place in _list_places(shards):
        places += 1
        found = _read_stats(place) or _count_rows(place)
        if found is not None:
            known += 1
            total.update(found)
    if not known:
        return None
    return DownloadCounts(
        **{name: total[name] for name in _NUMBERS}, known=known, shards=places
    )


def save_downloads(root: Path, shards: Sequence[Shard]) -> None:
    """Write img2dataset's counts to a store, if there are any."""
    counts = count_downloads(shards)
    if counts is None:
        (root / FILE).unlink(missing_ok=True)
    else:
        write_json(root / FILE, asdict(counts))


def load_downloads(root: Path) -> DownloadCounts | None:
    """Return the counts that a store holds, or None.

    Raises:
        ValueError: If the file is not one of ours.
    """
    if not (root / FILE).exists():
        return None
    try:
        return DownloadCounts(**read_json(root / FILE))
    except TypeError as error:
        raise ValueError(f'{root / FILE}: {error}') from None


def _list_places(shards: Sequence[Shard]) -> Iterator[Path]:
    """Yield shard files, and the folders of image files, each once."""
    folders: dict[Path, None] = {}
    for shard in shards:
        if shard.tar is not None:
            yield shard.tar
        folders.update((file.parent, None) for _, file in shard.files)
    yield from folders


def _read_stats(place: Path) -> dict[str, int] | None:
    file = place.with_name(f'{place.stem}_stats.json')
    try:
        found = json.loads(read_regular(file, max_bytes=_MAX_STATS_BYTES))
        numbers = {name: found[name] for name in _NUMBERS}
    except (OSError, ValueError, KeyError, TypeError, RecursionError):
        return None  # said by the number of shards that have counts
    valid = all(
        type(number) is int and 0 <= number < 1 << 53
        for number in numbers.values()
    )
    return numbers if valid else None


def _count_rows(place: Path) -> dict[str, int] | None:
    if place.suffix.lower() != '.parquet':
        return None
    try:
        rows = count_status(place)
    except ValueError:  # listed where its images are read
        return None
    if not rows:
        return None
    named = {'success': 'successes'}
    found = {named.get(status, status): n for status, n in rows.items()}
    return {
        'count': sum(rows.values()),
        **{name: found.get(name, 0) for name in _NUMBERS[1:]},
    }

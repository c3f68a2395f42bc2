"""Deal shards, and pieces of large ones, to the workers of a process."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from ltvl_mm.retrieval.reading.shards import Shard
from ltvl_mm.utils.image_folders import get_suffix
from ltvl_mm.utils.remote_paths import is_remote

# A piece has at least so many bytes: each worker of a tar walks through the
# headers of all its members.
MIN_PIECE_BYTES = 8 << 20
# Assumed size of an image file, so that a run of files need not be measured.
_FILE_BYTES = 40_000
# Pieces that a worker would get of a store in one tar: with more of them, the
# last ones end at more equal times.
_PIECES = 2


@dataclass(frozen=True)
class ShardPiece:
    """Every n-th batch of a shard.

    Args:
        number: Index of the shard.
        index: Index of the first batch, in [0, count).
        count: Number of pieces of the shard, n; 1 for the whole shard.
    """

    number: int
    index: int
    count: int

    def has(self, batch: int) -> bool:
        """Return whether a batch of the shard belongs to the piece."""
        return batch % self.count == self.index


def deal_pieces(
    shards: Mapping[int, Shard], numbers: Sequence[int], workers: int
) -> list[list[ShardPiece]]:
    """Return the pieces of each worker, in the order of the shards.

    A shard is cut into pieces where one worker would have more than half of
    its share of the bytes to read in that shard. Parquet files and remote
    tars stay whole, since each worker would read all of them.

    Args:
        shards: Shards by index.
        numbers: Indices of the shards to read.
        workers: Number of workers, >= 1.
    """
    sizes = {number: _measure_shard(shards[number]) for number in numbers}
    share = sum(sizes.values()) / (workers * _PIECES)
    dealt: list[list[ShardPiece]] = [[] for _ in range(workers)]
    loads = [0.0] * workers
    for number in numbers:
        count = 1
        if workers > 1 and _can_be_cut(shards[number]):
            limit = max(share, MIN_PIECE_BYTES)
            count = min(max(-(-sizes[number] // int(limit)), 1), workers)
        for index in range(count):
            worker = loads.index(min(loads))
            dealt[worker].append(ShardPiece(number, index, count))
            loads[worker] += sizes[number] / count
    return [pieces for pieces in dealt if pieces]


def _can_be_cut(shard: Shard) -> bool:
    if shard.tar is None:
        return True
    return get_suffix(shard.tar.name) == 'tar' and not is_remote(shard.tar)


def _measure_shard(shard: Shard) -> int:
    """Return the bytes of a shard; 1 GB for a tar that is not measured."""
    if shard.tar is None:
        return max(len(shard.files), 1) * _FILE_BYTES
    if is_remote(shard.tar):
        return 1 << 30
    try:
        return max(shard.tar.stat().st_size, 1)
    except OSError:
        return 1  # reading the shard lists it as a bad image

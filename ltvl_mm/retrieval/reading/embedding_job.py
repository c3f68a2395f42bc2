"""Embed decoded batches and write the parts of their shards."""

from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np
import torch
from mmengine.dist import get_dist_info
from PIL import Image

from ltvl_mm.retrieval.reading.image_batches import ImageBatch, ShardBatches
from ltvl_mm.retrieval.reading.shards import Shard
from ltvl_mm.structures.store_parts import COLUMNS
from ltvl_mm.structures.store_writer import write_part
from ltvl_mm.structures.unit_norms import find_uneven_norms
from ltvl_mm.utils.hash_recipes import HASH_RECIPE
from ltvl_mm.utils.progress import progress_bar

# Embedded shards that wait to be written; then embedding waits.
MAX_WAITING_PARTS = 2


@dataclass(frozen=True)
class EmbeddingJob:
    """Constant part of embedding some shards, in any process.

    An engine calls :meth:`decode` and :meth:`write` with whole shards; the
    bytes of a part do not depend on where they run.

    Args:
        shards: Shards by their index in the store.
        sources: State of each shard's files, by index.
        total: Number of shards of the store.
        out: Folder of the store.
        store: Identifier of the store.
        encode: (B, 3, S, S) -> (B, D), any device, any norm.
        preprocess: RGB image -> (3, S, S).
        batch_size: Images encoded at a time.
        workers: Decoding processes per encoder; 0 to decode in its process.
        title: Title of the progress bar.
        hash_recipe: Name of the recipe of the perceptual hashes.
        prefetch: Decoded batches that each worker keeps ready, >= 1.
    """

    shards: Mapping[int, Shard]
    sources: Mapping[int, dict]
    total: int
    out: Path
    store: str
    encode: Callable[[torch.Tensor], torch.Tensor]
    preprocess: Callable[[Image.Image], torch.Tensor]
    batch_size: int
    workers: int
    title: str
    hash_recipe: str = HASH_RECIPE
    prefetch: int = 2

    def pick(self, numbers: Sequence[int]) -> 'EmbeddingJob':
        """Return the job with some of its shards only."""
        return replace(
            self,
            shards={number: self.shards[number] for number in numbers},
            sources={number: self.sources[number] for number in numbers},
        )

    def decode(
        self, numbers: Sequence[int], *, workers: int = 0
    ) -> ShardBatches:
        """Return the decoded batches of some shards.

        Args:
            numbers: Indices of the shards.
            workers: Number of workers that share them; 0 for none.
        """
        return ShardBatches(
            self.shards,
            list(numbers),
            self.preprocess,
            self.batch_size,
            self.hash_recipe,
            workers,
        )

    def write(
        self, batches: Iterable[ImageBatch], progress: 'EmbeddingProgress'
    ) -> None:
        """Encode the batches of shards, and write each when it is whole.

        A thread copies the features of a whole shard from the device and
        writes them, while the next images are encoded.
        """
        parts: deque[Future] = deque()
        with ThreadPoolExecutor(1, 'write parts') as thread:
            for number, shard in _collect_shards(
                batches, self.encode, progress
            ):
                parts.append(thread.submit(self._write_shard, number, shard))
                _await_parts(parts, progress, MAX_WAITING_PARTS)
            _await_parts(parts, progress, 0)

    def _write_shard(self, number: int, shard: '_OpenShard') -> None:
        write_part(
            self.out,
            self.total,
            number,
            self.shards[number].name,
            *shard.join(),
            store=self.store,
            source=self.sources[number],
        )


class EmbeddingProgress:
    """Images, images/s, bad images and shards, and the time left.

    How many images tars hold is not known, so that the time left is that of
    shards as large as those done in this run. Of several ranks, the first
    shows its share.

    Args:
        title: Title of the bar.
        shards: Number of shards of the store.
        mine: Number of shards that this process counts.
        silent: True to count without a bar.
    """

    def __init__(
        self, title: str, shards: int, mine: int, *, silent: bool = False
    ) -> None:
        rank, ranks = get_dist_info()
        if ranks > 1:
            title = f'{title}, rank {rank} of {ranks}'
        self.bar = progress_bar(
            total=None, title=title, unit='img', silent=silent or rank > 0
        )
        self.mine = mine
        self.rest = shards - mine if ranks == 1 else 0
        self.read = self.finished = self.bad = 0

    def __enter__(self) -> 'EmbeddingProgress':
        return self

    def __exit__(self, *_: object) -> None:
        self.bar.close()

    def add_batch(self, read: int, bad: int) -> None:
        """Count the images of a batch."""
        self.read += read
        self.bad += bad
        done, total = self.rest + self.finished, self.rest + self.mine
        self.bar.set_postfix_str(
            f'{self.bad} bad, shard {done}/{total}', refresh=False
        )
        self.bar.update(read)

    def finish_shard(self) -> None:
        """Count a written shard."""
        self.finished += 1
        self.bar.total = round(self.read / self.finished * self.mine)
        self.add_batch(0, 0)


def _await_parts(
    parts: deque[Future], progress: EmbeddingProgress, waiting: int
) -> None:
    """Count the parts that are written; leave at most ``waiting`` others.

    Raises:
        Exception: That of a part that could not be written.
    """
    while parts and (len(parts) > waiting or parts[0].done()):
        parts.popleft().result()
        progress.finish_shard()


def _collect_shards(
    batches: Iterable[ImageBatch],
    encode: Callable[[torch.Tensor], torch.Tensor],
    progress: EmbeddingProgress,
) -> Iterator[tuple[int, '_OpenShard']]:
    """Encode batches and yield each shard when it is whole."""
    open_shards: dict[int, _OpenShard] = {}
    for batch in batches:
        shard = open_shards.setdefault(batch.number, _OpenShard())
        if batch.images is not None:
            # Keep features on the device: copying each batch would force a
            # sync.
            with torch.inference_mode():
                shard.features[batch.index] = torch.nn.functional.normalize(
                    encode(batch.images).float(), dim=-1
                ).half()
        shard.content[batch.index] = (
            *shard.content.get(batch.index, ()),
            (batch.rows, batch.bad),
        )
        progress.add_batch(len(batch.rows), len(batch.bad))
        shard.ended += batch.last
        if shard.ended == batch.pieces:
            del open_shards[batch.number]
            yield batch.number, shard


@dataclass
class _OpenShard:
    """Batches of a shard that is being embedded, in any order.

    Args:
        features: Index of a batch -> (B, D) features on the device.
        content: Index of a batch -> its rows and bad images. The last batch
            of a piece may be empty and have the index of another's.
        ended: Number of pieces that have ended.
    """

    features: dict[int, torch.Tensor] = field(default_factory=dict)
    content: dict[int, tuple] = field(default_factory=dict)
    ended: int = 0

    def join(self) -> tuple[np.ndarray, dict[str, list], list]:
        """Return embeddings, columns and bad images in their order."""
        rows: list[tuple] = []
        bad: list[tuple[str, str]] = []
        for index in sorted(self.content):
            for some_rows, some_bad in self.content[index]:
                rows.extend(some_rows)
                bad.extend(some_bad)
        embeddings = np.empty((0, 0), np.float16)
        if self.features:
            ordered = [self.features[index] for index in sorted(self.features)]
            embeddings = torch.cat(ordered).cpu().numpy()
            embeddings, rows = _drop_uneven(embeddings, rows, bad)
        columns = zip(*rows, strict=True) if rows else [()] * len(COLUMNS)
        named = dict(zip(COLUMNS.names, map(list, columns), strict=True))
        return embeddings, named, bad


def _drop_uneven(
    embeddings: np.ndarray, rows: list[tuple], bad: list[tuple[str, str]]
) -> tuple[np.ndarray, list[tuple]]:
    """Return embeddings and rows of a shard without those of no unit norm.

    Args:
        embeddings: (N, D).
        rows: N rows of COLUMNS.
        bad: (key, reason) of bad images; gets those that are dropped. If
            they are more than half, nothing is dropped: the encoder is at
            fault, and writing the part reports it.
    """
    norms = np.linalg.norm(embeddings.astype(np.float32), axis=1)
    uneven = find_uneven_norms(norms)
    if not len(uneven) or len(uneven) > max(1, len(rows) // 2):
        return embeddings, rows
    for row in uneven:
        reason = f'its embedding has norm {norms[row]}, where 1 is expected'
        bad.append((rows[row][0], reason))
    wrong = set(uneven.tolist())
    kept = [row for place, row in enumerate(rows) if place not in wrong]
    return np.delete(embeddings, uneven, axis=0), kept

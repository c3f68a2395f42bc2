"""Batches of decoded images, as workers read them from shards."""

import hashlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace

import torch
from PIL import Image
from torch.utils.data import IterableDataset, get_worker_info

from ltvl_mm.retrieval.reading.shard_pieces import ShardPiece, deal_pieces
from ltvl_mm.retrieval.reading.shards import Shard, iterate_shard
from ltvl_mm.retrieval.reading.web_image import WebImage
from ltvl_mm.structures.store_parts import FILTER_COLUMNS
from ltvl_mm.utils.hash_recipes import HASH_RECIPE
from ltvl_mm.utils.image_decoding import decode_image
from ltvl_mm.utils.perceptual_hash import compute_phash

_FILTERS = tuple(FILTER_COLUMNS.names)


@dataclass(frozen=True)
class ImageBatch:
    """Batch of images that a worker returns.

    Args:
        number: Index of the shard.
        images: (B, 3, S, S) images, or None if there are none.
        rows: B rows of COLUMNS.
        bad: (key, reason) of images that could not be read.
        last: True for the last batch of the shard's piece.
        index: Index of the batch in its shard.
        pieces: Number of pieces that the shard is read in.
    """

    number: int
    images: torch.Tensor | None
    rows: list[tuple]
    bad: list[tuple[str, str]]
    last: bool
    index: int = 0
    pieces: int = 1

    def pin_memory(self) -> 'ImageBatch':
        """Return the batch with its images in pinned memory.

        From there they are copied to a GPU while the processor continues.
        Without CUDA the batch itself is returned. The pinning thread of
        torch's DataLoader calls this method by its name.
        """
        if self.images is None or not torch.cuda.is_available():
            return self
        return replace(self, images=self.images.pin_memory())


class ShardBatches(IterableDataset):
    """Batches of decoded images, which workers read from pieces of shards.

    A batch has the images of ``batch_size`` consecutive entries of a shard
    that can be read. Which these are does not depend on the number of
    workers, so that embeddings do not either.

    Args:
        shards: Shards by index.
        numbers: Indices of the shards to read.
        preprocess: RGB image -> (3, S, S).
        batch_size: Entries of a batch.
        hash_recipe: Name of the recipe of the perceptual hashes.
        workers: Number of workers that share the shards; 0 for none.

    Attributes:
        dealt: Pieces of each worker.
    """

    def __init__(
        self,
        shards: Sequence[Shard] | Mapping[int, Shard],
        numbers: list[int],
        preprocess: Callable[[Image.Image], torch.Tensor],
        batch_size: int,
        hash_recipe: str = HASH_RECIPE,
        workers: int = 0,
    ) -> None:
        self.shards = {number: shards[number] for number in numbers}
        self.preprocess = preprocess
        self.batch_size = batch_size
        self.hash_recipe = hash_recipe
        # Here, not in each worker: all of them must have one plan, also if
        # a file grows now.
        self.dealt = deal_pieces(self.shards, numbers, max(workers, 1))

    def __iter__(self) -> Iterator[ImageBatch]:
        info = get_worker_info()
        dealt = self.dealt if info is None else [self.dealt[info.id]]
        for pieces in dealt:
            for piece in pieces:
                yield from self._read_piece(piece)

    def _read_piece(self, piece: ShardPiece) -> Iterator[ImageBatch]:
        """Yield the batches of a piece; the last one may be empty."""
        size = self.batch_size

        def has_entry(entry: int) -> bool:
            return piece.has(entry // size)

        found = iterate_shard(
            self.shards[piece.number],
            has_entry if piece.count > 1 else None,
        )
        batch, content = 0, _Content()
        for entry, image in enumerate(found):
            if entry // size != batch:
                if content:
                    yield content.build(piece, batch, last=False)
                batch, content = entry // size, _Content()
            if has_entry(entry):
                # Decoded now: 256 files may be many times as large.
                self._add(content, image)
        yield content.build(piece, batch, last=True)

    def _add(self, content: '_Content', found: WebImage) -> None:
        """Decode an image, or add the reason why it cannot be read."""
        try:
            image, row = _read_image(found, self.hash_recipe)
        except ValueError as error:
            content.bad.append((found.key, str(error)))
        else:
            content.images.append(self.preprocess(image))
            content.rows.append(row)


@dataclass
class _Content:
    """Decoded entries of a batch."""

    images: list[torch.Tensor] = field(default_factory=list)
    rows: list[tuple] = field(default_factory=list)
    bad: list[tuple[str, str]] = field(default_factory=list)

    def __bool__(self) -> bool:
        return bool(self.rows or self.bad)

    def build(
        self, piece: ShardPiece, index: int, *, last: bool
    ) -> ImageBatch:
        """Return the batch of a piece."""
        return ImageBatch(
            piece.number,
            torch.stack(self.images) if self.images else None,
            self.rows,
            self.bad,
            last,
            index,
            piece.count,
        )


def _read_image(
    found: WebImage, recipe: str = HASH_RECIPE
) -> tuple[Image.Image, tuple]:
    """Return the decoded image and its row of COLUMNS."""
    if found.data is None:
        raise ValueError(found.reason)
    image = decode_image(found.data)
    known = found.known | {'width': image.width, 'height': image.height}
    return image, (
        found.key,
        found.caption,
        found.url,
        found.source,
        found.offset,
        len(found.data),
        hashlib.sha256(found.data).hexdigest(),
        compute_phash(image, recipe),
        *map(known.get, _FILTERS),
    )

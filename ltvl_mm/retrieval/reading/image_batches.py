"""Batches of decoded images, as workers read them from shards."""

import hashlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

import torch
from PIL import Image
from torch.utils.data import IterableDataset, get_worker_info

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
        last: True for the last batch of the shard.
    """

    number: int
    images: torch.Tensor | None
    rows: list[tuple]
    bad: list[tuple[str, str]]
    last: bool

    def pin_memory(self) -> 'ImageBatch':
        """Return the batch as the loader's pinning thread wants it."""
        if self.images is None:
            return self
        return replace(self, images=self.images.pin_memory())


class ShardBatches(IterableDataset):
    """Batches of decoded images; a worker reads whole shards, in turn."""

    def __init__(
        self,
        shards: Sequence[Shard] | Mapping[int, Shard],
        numbers: list[int],
        preprocess: Callable[[Image.Image], torch.Tensor],
        batch_size: int,
        hash_recipe: str = HASH_RECIPE,
    ) -> None:
        self.shards = shards
        self.numbers = numbers
        self.preprocess = preprocess
        self.batch_size = batch_size
        self.hash_recipe = hash_recipe

    def __iter__(self) -> Iterator[ImageBatch]:
        info = get_worker_info()
        mine = (
            self.numbers
            if info is None
            else self.numbers[info.id :: info.num_workers]
        )
        for number in mine:
            images: list[torch.Tensor] = []
            rows: list[tuple] = []
            bad: list[tuple[str, str]] = []
            for found in iterate_shard(self.shards[number]):
                if len(images) == self.batch_size:
                    yield ImageBatch(
                        number, torch.stack(images), rows, bad, False
                    )
                    images, rows, bad = [], [], []
                try:
                    image, row = _read_image(found, self.hash_recipe)
                except ValueError as error:
                    bad.append((found.key, str(error)))
                else:
                    images.append(self.preprocess(image))
                    rows.append(row)
            stacked = torch.stack(images) if images else None
            yield ImageBatch(number, stacked, rows, bad, True)


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

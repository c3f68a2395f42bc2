"""Embed the images of shards into a store, one shard at a time."""

import hashlib
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import imagehash
import numpy as np
import torch
from PIL import Image
from torch.utils.data import DataLoader, IterableDataset, get_worker_info

from ltvl_mm.retrieval.image_decoding import decode_image
from ltvl_mm.retrieval.shards import Shard, iterate_shard
from ltvl_mm.retrieval.web_image import WebImage
from ltvl_mm.structures.embedding_store import (
    METADATA,
    EmbeddingStore,
    Part,
    read_part,
)
from ltvl_mm.structures.store_files import map_matrix
from ltvl_mm.structures.store_writer import (
    begin_store,
    finish_store,
    write_part,
)
from ltvl_mm.utils.io import hash_content
from ltvl_mm.utils.progress import progress_bar


def embed_shards(
    shards: Sequence[Shard],
    out: str | Path,
    encode: Callable[[torch.Tensor], torch.Tensor],
    preprocess: Callable[[Image.Image], torch.Tensor],
    encoder: dict[str, str],
    *,
    batch_size: int = 256,
    workers: int = 2,
    title: str = 'embed',
) -> EmbeddingStore:
    """Write the store of ``shards`` to ``out``, or finish a begun one.

    A part is written when its shard is done, so that a kill costs at most
    the shards under way. A batch never mixes shards: the numbers of a part
    do not depend on which others are done.

    Args:
        shards: As :func:`ltvl_mm.retrieval.shards.find_shards` lists them.
        out: Folder of the store.
        encode: (B, 3, S, S) -> (B, D), any device, any norm.
        preprocess: RGB image -> (3, S, S).
        encoder: Names architecture, weights and preprocessing.
        batch_size: Images encoded at a time.
        workers: Processes that read and decode; 0 does it here.
        title: Of the progress bar.

    Raises:
        ValueError: If ``out`` was begun with other shards, encoder or batch
            size, or no image at all could be read.
    """
    out = Path(out)
    begin_store(
        out,
        {
            'encoder': encoder,
            'batch_size': batch_size,
            'shards': len(shards),
            'shard_names': hash_content(
                [
                    (
                        shard.name,
                        str(shard.tar),
                        hash_content([key for key, _ in shard.files]),
                    )
                    for shard in shards
                ]
            ),
        },
    )
    parts: list[Part | None] = [
        read_part(out, len(shards), number) for number in range(len(shards))
    ]
    missing = [number for number, part in enumerate(parts) if part is None]
    loader = DataLoader(
        _ShardBatches(shards, missing, preprocess, batch_size),
        batch_size=None,
        num_workers=min(workers, len(missing)),
    )
    with _EmbeddingProgress(title, len(shards), len(missing)) as progress:
        for number, embeddings, metadata, broken in _collect_shards(
            loader, encode, progress
        ):
            parts[number] = write_part(
                out,
                len(shards),
                number,
                shards[number].name,
                embeddings,
                metadata,
                broken,
            )
            progress.finish_shard()
    dim = _find_dim(parts)
    return finish_store(out, encoder, dim, parts)


class _ShardBatches(IterableDataset):
    """Batches of decoded images; a worker reads whole shards, in turn."""

    def __init__(
        self,
        shards: Sequence[Shard],
        numbers: list[int],
        preprocess: Callable[[Image.Image], torch.Tensor],
        batch_size: int,
    ) -> None:
        self.shards = shards
        self.numbers = numbers
        self.preprocess = preprocess
        self.batch_size = batch_size

    def __iter__(self) -> Iterator[tuple[int, object, list, list, bool]]:
        """Yield (shard, images, rows, bad, whether the shard ends here)."""
        info = get_worker_info()
        mine = (
            self.numbers
            if info is None
            else self.numbers[info.id :: info.num_workers]
        )
        for number in mine:
            images, rows, bad = [], [], []
            for found in iterate_shard(self.shards[number]):
                if len(images) == self.batch_size:
                    yield number, torch.stack(images), rows, bad, False
                    images, rows, bad = [], [], []
                try:
                    image, row = _read_image(found)
                except ValueError as error:
                    bad.append((found.key, str(error)))
                else:
                    images.append(self.preprocess(image))
                    rows.append(row)
            yield (
                number,
                torch.stack(images) if images else None,
                rows,
                bad,
                True,
            )


def _read_image(found: WebImage) -> tuple[Image.Image, tuple]:
    """Return the decoded image and its row of METADATA."""
    if found.reason is not None:
        raise ValueError(found.reason)
    image = decode_image(found.data)
    return image, (
        found.key,
        found.caption,
        found.url,
        found.source,
        found.offset,
        len(found.data),
        hashlib.sha256(found.data).hexdigest(),
        int(str(imagehash.phash(image)), 16),
    )


class _EmbeddingProgress:
    """Images, images/s, bad images and shards, and the time left.

    How many images tars hold is not known, so that the time left is that of
    shards as large as those done in this run.
    """

    def __init__(self, title: str, shards: int, missing: int) -> None:
        self.bar = progress_bar(total=None, title=title, unit='img')
        self.shards = shards
        self.missing = missing
        self.finished = self.bad = 0

    def __enter__(self) -> '_EmbeddingProgress':
        return self

    def __exit__(self, *_: object) -> None:
        self.bar.close()

    def add_batch(self, read: int, bad: int) -> None:
        """Count the images of a batch."""
        self.bad += bad
        done = self.shards - self.missing + self.finished
        self.bar.set_postfix_str(
            f'{self.bad} bad, shard {done}/{self.shards}', refresh=False
        )
        self.bar.update(read)

    def finish_shard(self) -> None:
        """Count a written shard."""
        self.finished += 1
        self.bar.total = round(self.bar.n / self.finished * self.missing)
        self.add_batch(0, 0)


def _collect_shards(
    loader: DataLoader,
    encode: Callable[[torch.Tensor], torch.Tensor],
    progress: _EmbeddingProgress,
) -> Iterator[tuple[int, np.ndarray, dict[str, list], list]]:
    """Encode batches and yield each shard when it is whole."""
    open_shards: dict[int, tuple[list, list, list]] = {}
    for number, images, rows, bad, last in loader:
        found = open_shards.setdefault(number, ([], [], []))
        if images is not None:
            with torch.inference_mode():
                features = torch.nn.functional.normalize(
                    encode(images).float(), dim=-1
                )
            found[0].append(features.cpu().numpy().astype(np.float16))
        found[1].extend(rows)
        found[2].extend(map(tuple, bad))  # the loader makes them lists
        progress.add_batch(len(rows), len(bad))
        if last:
            features, rows, bad = open_shards.pop(number)
            columns = (
                zip(*rows, strict=True)
                if rows
                else [() for _ in METADATA.names]
            )
            yield (
                number,
                np.concatenate(features)
                if features
                else np.empty((0, 0), np.float16),
                dict(zip(METADATA.names, map(list, columns), strict=True)),
                bad,
            )


def _find_dim(parts: list[Part]) -> int:
    for part in parts:
        if part.rows:
            return map_matrix(part.matrix).shape[1]
    reasons = [bad for part in parts for bad in part.bad][:3]
    raise ValueError(f'no image could be read; the first: {reasons}')

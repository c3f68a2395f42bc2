"""Compare stored embeddings with images that are present on disk."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import torch
from PIL import Image

from ltvl_mm.retrieval.options import MIN_COSINE
from ltvl_mm.structures.embedding_store import EmbeddingStore
from ltvl_mm.utils.image_decoding import read_image
from ltvl_mm.utils.rng import make_generator


def check_images(
    store: EmbeddingStore,
    preprocess: Callable[[Image.Image], torch.Tensor],
    encode: Callable[[torch.Tensor], torch.Tensor],
    *,
    count: int,
    folder: Path,
    min_cosine: float = MIN_COSINE,
) -> int:
    """Embed a fixed random sample of images and compare it with the store.

    Args:
        store: Embedding store. The image file is the row's ``source``, or its
            key if it has no source or lies in a tar. Rows whose file does
            not exist are skipped.
        preprocess: Function from an RGB image to a (3, S, S) tensor.
        encode: Function from (1, 3, S, S) images to (1, D) embeddings.
        count: Number of sampled rows, >= 1.
        folder: Folder that relative names of images start from.
        min_cosine: Smallest allowed cosine.

    Returns:
        The number of sampled images that are present and were compared.

    Raises:
        ValueError: If ``count`` is less than 1, a present image cannot be
            read, or a cosine is smaller than ``min_cosine``.
    """
    if count < 1:
        raise ValueError(f'the number of images must be >= 1, got {count}')
    sample = make_generator(0, len(store)).choice(
        len(store), min(count, len(store)), replace=False
    )
    rows = np.sort(sample)
    found = store.read_metadata(rows, ('image_path', 'source', 'offset'))
    names = zip(*found.values(), strict=True)
    wrong, compared = [], 0
    for stored, (key, source, offset) in zip(
        store.read_rows(rows).astype(np.float32), names, strict=True
    ):
        # A source with an offset is a tar; an absolute name replaces folder.
        file = folder / (source if source and offset is None else key)
        if not file.is_file():
            continue
        compared += 1
        image = preprocess(read_image(file))[None]
        with torch.inference_mode():
            own = encode(image)[0].float().cpu().numpy()
        cosine = float(own @ stored / np.linalg.norm(own))
        if not cosine >= min_cosine:  # NaN, too
            wrong.append(f'{key} ({cosine:.3f})')
    if wrong:
        raise ValueError(
            f'{len(wrong)} of {compared} compared images of the store '
            f'{store.name} have another embedding than the stored one '
            f'(cosine below {min_cosine:g}): {", ".join(wrong[:5])}. Name the '
            f'encoder and the preprocessing that made the store, or restore '
            f'its files: embeddings and metadata must be in the same order'
        )
    return compared

"""Embeddings of labeled images, from a store and a list."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from mmengine.logging import print_log

from ltvl_mm.structures.class_queries import ClassQueries
from ltvl_mm.structures.embedding_store import EmbeddingStore
from ltvl_mm.structures.image_list import ImageList, read_image_list
from ltvl_mm.structures.store_reader import open_store

# More missing images are taken for a store of other images.
_MAX_MISSING = 0.1


@dataclass(frozen=True)
class LabeledEmbeddings:
    """Embeddings of N images and their classes.

    Attributes:
        embeddings: (N, D) float32, L2-normalized.
        labels: (N,) int64, in [0, K).
    """

    embeddings: np.ndarray
    labels: np.ndarray


def read_labeled_embeddings(
    store: str | Path | EmbeddingStore,
    image_list: str | Path,
    queries: ClassQueries,
) -> LabeledEmbeddings:
    """Return the embeddings of a list's images, in the order of the list.

    Images that could not be embedded are left out, which is logged.

    Args:
        store: Embeddings of these images, and possibly of others: a folder
            or an opened store.
        image_list: ``path label`` list; its paths are keys of the store.
        queries: K classes, of the store's encoder.

    Raises:
        ValueError: If the encoders differ, or more than a tenth of the
            images are not in the store.
    """
    if not isinstance(store, EmbeddingStore):
        store = open_store(store)
    queries.check_store(store)
    images, rows = _find_rows(store, image_list, len(queries.class_names))
    missing = np.flatnonzero(rows < 0)
    if len(missing):
        print_log(
            f'{len(missing)} images of {image_list} are not in {store.name}, '
            f'such as {images.paths[missing[0]]}; they are left out',
            'current',
            level=30,
        )
    kept = rows >= 0
    return LabeledEmbeddings(store.read_rows(rows[kept]), images.labels[kept])


def check_labeled_embeddings(
    store: str | Path | EmbeddingStore,
    image_list: str | Path,
    num_classes: int,
) -> None:
    """Check a store and its list before an encoder is loaded.

    Args:
        store: Store that holds the images: a folder or an opened store.
        image_list: ``path label`` list.
        num_classes: Number of classes K.

    Raises:
        ValueError: If the list cannot be read, a label is outside [0, K), or
            more than a tenth of the images are not in the store.
    """
    if not isinstance(store, EmbeddingStore):
        store = open_store(store)
    _find_rows(store, image_list, num_classes)


def _find_rows(
    store: EmbeddingStore, image_list: str | Path, num_classes: int
) -> tuple[ImageList, np.ndarray]:
    """Return the N images of a list and their rows; -1 for missing ones."""
    images = read_image_list(image_list, num_classes=num_classes)
    rows = store.find_rows(images.paths)
    missing = np.flatnonzero(rows < 0)
    if len(missing) > _MAX_MISSING * len(images):
        raise ValueError(
            f'{len(missing)} of the {len(images)} images of {image_list} are '
            f'not in the store {store.name}, such as '
            f'{images.describe(int(missing[0]))}; embed that list, with the '
            f'same --root'
        )
    return images, rows

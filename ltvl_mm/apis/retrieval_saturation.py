"""Warn if the softmax over few classes gives no probabilities."""

import logging

import numpy as np
from mmengine.logging import print_log

from ltvl_mm.evaluation.retrieval_quality import compute_probabilities
from ltvl_mm.structures.class_queries import ClassQueries
from ltvl_mm.structures.embedding_store import EmbeddingStore
from ltvl_mm.structures.unit_norms import find_uneven_norms
from ltvl_mm.utils.rng import make_generator

FEW_CLASSES = 20
# A web collection shows any 20 things in fewer of its images. Ours: of the
# emoji world's web images, 6.5 % show one of 8 classes, and 11 % get p >= 0.9.
MAX_SHARE = 0.05
_CONFIDENT = 0.9
_SAMPLE = 4096


def warn_of_saturation(
    store: EmbeddingStore, queries: ClassQueries, temperature: float
) -> float | None:
    """Warn if too many web images seem to show one of few classes.

    Without other classes in the softmax, an image of none of them gets a
    probability near 1 for whichever is nearest.

    Args:
        store: Web images, of which a sample is read.
        queries: K classes.
        temperature: Temperature of the softmax, > 0.

    Returns:
        Share of the sample with a probability >= 0.9, in [0, 1]; None if K
        is 1, or at least FEW_CLASSES.
    """
    classes = len(queries.class_names)
    if not 1 < classes < FEW_CLASSES or not len(store):
        return None
    rows = make_generator(0, len(store)).choice(
        len(store), min(_SAMPLE, len(store)), replace=False
    )
    images = store.read_rows(np.sort(rows))
    uneven = find_uneven_norms(np.linalg.norm(images, axis=1))
    images = np.delete(images, uneven, axis=0)
    if not len(images):
        return None
    probabilities = compute_probabilities(
        images @ queries.embeddings.T, temperature
    )
    share = float((probabilities.max(1) >= _CONFIDENT).mean())
    if share > MAX_SHARE:
        print_log(
            f'{100 * share:.0f} % of the web images have a probability of at '
            f'least {_CONFIDENT} for one of {classes} classes: with so few '
            f'classes an image of none of them gets the nearest one. Unless '
            f'the collection shows little else, add background classes '
            f'(--background builtin)',
            'current',
            level=logging.WARNING,
        )
    return share

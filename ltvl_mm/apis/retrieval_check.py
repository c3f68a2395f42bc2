"""Diagnose a retrieval before students are trained on it."""

import logging
from collections.abc import Sequence
from pathlib import Path

from mmengine.logging import print_log

from ltvl_mm.apis.retrieved_rows import find_retrieved_rows
from ltvl_mm.evaluation.quality_summary import measure_quality
from ltvl_mm.evaluation.temperature import describe_weak_fit
from ltvl_mm.structures.background import find_background
from ltvl_mm.structures.class_counts import load_class_counts
from ltvl_mm.structures.class_queries import load_queries
from ltvl_mm.structures.embedding_store import EmbeddingStore
from ltvl_mm.structures.labeled_embeddings import read_labeled_embeddings
from ltvl_mm.structures.manifest_file import load_manifest
from ltvl_mm.utils.remote_paths import as_path

FILE = 'quality.json'


def check_retrieval(
    retrieved: str | Path,
    stores: Sequence[str | Path | EmbeddingStore],
    *,
    val_store: str | Path | EmbeddingStore,
    val_list: str | Path,
    class_counts: str | Path | Sequence[int],
) -> dict:
    """Estimate whether retrieved images can help, without labels of them.

    As ``tools/analysis_tools/check_retrieval.py``.

    Args:
        retrieved: Folder of ``tools/retrieve.py``.
        stores: Stores that it retrieved from, in the same order.
        val_store: Store that holds the val images.
        val_list: Their ``path label`` list.
        class_counts: Images per class of the original training set: its
            list, a ``.json``, or K numbers.

    Returns:
        JSON-like: ``zero_shot`` (accuracies on val in percent), ``scores``,
        ``precision``, ``temperature``, ``groups``, ``classes`` and
        ``warnings``, an empty list if nothing is wrong.

    Raises:
        ValueError: If a file is missing, images are not in the stores, or
            encoders differ; or if there is one class and no background
            name.
    """
    retrieved = as_path(retrieved)
    manifest = load_manifest(retrieved / 'manifest.parquet')
    queries = load_queries(retrieved / 'queries.npz')
    background = find_background(retrieved)
    if len(queries.class_names) == 1 and background is None:
        raise ValueError(
            f'{retrieved} has one class and no background names, so that '
            f'there are no probabilities to check; retrieve with background '
            f'names (--background builtin) into another folder'
        )
    counts = load_class_counts(class_counts, len(queries.class_names))
    store, rows = find_retrieved_rows(manifest, stores, queries)
    embeddings = store.read_rows(rows)
    val = read_labeled_embeddings(val_store, val_list, queries)
    result = measure_quality(
        manifest,
        queries,
        embeddings,
        val,
        counts,
        background=background,
    )
    fitted = result['temperature']['fitted_to_val']
    doubt = describe_weak_fit(fitted, result['val_images'])
    if doubt is not None:
        print_log(
            f'the calibrated probabilities of this check, and what is '
            f'estimated from them, are not reliable: {doubt}',
            'current',
            level=logging.WARNING,
        )
    return result

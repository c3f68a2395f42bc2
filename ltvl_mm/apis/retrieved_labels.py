"""Label retrieved images with CLIP's distribution over the classes."""

import math
import sys
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from ltvl_mm.apis.retrieved_rows import find_retrieved_rows
from ltvl_mm.evaluation.retrieval_quality import compute_probabilities
from ltvl_mm.structures.class_queries import load_queries
from ltvl_mm.structures.embedding_store import EmbeddingStore
from ltvl_mm.structures.manifest_file import load_manifest
from ltvl_mm.structures.soft_labels import (
    FILE,
    SoftLabels,
    make_soft_labels,
    save_soft_labels,
)
from ltvl_mm.utils.progress import progress_bar
from ltvl_mm.utils.remote_paths import as_path

# Images whose probabilities of all classes are in memory at a time.
_CHUNK = 4096


def label_retrieved(
    retrieved: str | Path,
    stores: Sequence[str | Path | EmbeddingStore],
    *,
    top: int = 50,
    temperature: float | None = None,
) -> SoftLabels:
    """Write CLIP's distribution over the classes for retrieved images.

    The soft labels are written to ``soft_labels.npz`` in the folder of the
    manifest, where ``TACKLEDataset`` reads them. The command-line version is
    ``tools/analysis_tools/label_retrieved.py``.

    Args:
        retrieved: Folder that ``tools/retrieve.py`` wrote.
        stores: Embedding stores that the images were retrieved from, in the
            same order.
        top: Number of most probable classes to keep per image, >= 1; default
            50. The remaining probability is spread evenly over the other
            classes.
        temperature: Temperature of the softmax over classes, > 0; None
            (default) for the temperature of the retrieval.

    Raises:
        ValueError: If a file is missing, the manifest is empty or has other
            classes than the queries, images are not in the stores, encoders
            differ, or the temperature is not a finite number > 0.
    """
    retrieved = as_path(retrieved)
    manifest = load_manifest(retrieved / 'manifest.parquet')
    if not len(manifest):
        raise ValueError(
            f'the manifest in {retrieved} has no image to label; '
            f'report.json in the folder tells why nothing was retrieved'
        )
    if temperature is None:
        temperature = manifest.temperature
    # A subnormal temperature would make the logits infinite.
    if not sys.float_info.min <= temperature < math.inf:
        raise ValueError(
            f'temperature must be a finite number > 0, got {temperature}; '
            f'leave it out for the temperature of the retrieval'
        )
    queries = load_queries(retrieved / 'queries.npz')
    store, rows = find_retrieved_rows(manifest, stores, queries)
    pieces = []
    with progress_bar(total=len(rows), title='label', unit='img') as bar:
        for start in range(0, len(rows), _CHUNK):
            chunk = rows[start : start + _CHUNK]
            cosines = store.read_rows(chunk) @ queries.embeddings.T
            probabilities = compute_probabilities(cosines, temperature)
            pieces.append(probabilities.astype(np.float32))
            bar.update(len(chunk))
    labels = make_soft_labels(manifest, np.concatenate(pieces), top)
    save_soft_labels(retrieved / FILE, labels)
    return labels

"""Comparisons of retrieved images with exact and approximate answers."""

import faiss
import numpy as np
import torch

from ltvl_mm.retrieval.search.exact_products import multiply_exactly
from ltvl_mm.retrieval.search.exact_ranking import Candidates
from ltvl_mm.retrieval.search.index_search import make_contrastive_queries
from ltvl_mm.retrieval.search.scores import RowScores, compute_scores
from ltvl_mm.structures.class_queries import ClassQueries
from ltvl_mm.structures.embedding_store import EmbeddingStore


def measure_match(
    store: EmbeddingStore,
    queries: ClassQueries,
    found: list[Candidates],
    temperature: float,
) -> float:
    """Return the share of 50 classes whose images equal those of float64.

    Images that float32 puts within a tenth of a class's last score are scored
    again in float64.

    Args:
        store: N images.
        queries: K classes.
        found: K lists of retrieved images.
        temperature: Temperature of the softmax, > 0.
    """
    classes = queries.embeddings.astype(np.float64)
    weights = torch.from_numpy(queries.embeddings.T / temperature)
    labels = np.linspace(0, len(classes) - 1, 50).astype(int)
    limits = np.array([found[label].scores[-1] for label in labels]) - 0.1
    rows = []
    for start, chunk in store.iterate(2000, check=False):
        logits = (torch.from_numpy(chunk).float() @ weights).numpy()
        near = RowScores(logits, 'softmax').score(
            np.arange(len(chunk))[:, None], labels
        )
        rows.append(start + np.flatnonzero((near >= limits).any(1)))
    rows = np.concatenate(rows)
    dense = compute_scores(
        multiply_exactly(store.read_rows(rows, raw=True), classes),
        temperature=temperature,
        score='softmax',
    )[:, labels]
    right = 0
    for column, label in enumerate(labels):
        order = np.lexsort([rows, -dense[:, column]])
        best = found[label].rows
        right += np.array_equal(rows[order[: len(best)]], best)
    return right / len(labels)


def measure_faiss_recall(
    store: EmbeddingStore,
    queries: ClassQueries,
    found: list[Candidates],
    count: int,
) -> dict[str, float]:
    """Return the shares of retrieved images among faiss's nearest ones.

    Args:
        store: N images.
        queries: K classes.
        found: K lists of retrieved images.
        count: Images per class; faiss proposes 10 times as many.
    """
    faiss.omp_set_num_threads(1)
    index = faiss.IndexFlatIP(store.dim)
    for _, chunk in store.iterate(100_000, check=False):
        index.add(np.asarray(chunk, np.float32))
    plain = queries.embeddings
    contrastive = make_contrastive_queries(plain)
    recall = {}
    for name, vectors in (('plain', plain), ('contrastive', contrastive)):
        _, rows = index.search(vectors, 10 * count)
        shares = [
            np.isin(best.rows, row).mean()
            for best, row in zip(found, rows, strict=True)
        ]
        recall[name] = float(np.mean(shares))
    return recall

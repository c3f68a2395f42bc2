"""Unit vectors that lie as CLIP's do, for the retrieval benchmark."""

import functools
from pathlib import Path

import numpy as np

from ltvl_mm.structures.class_queries import ClassQueries
from ltvl_mm.structures.embedding_store import EmbeddingStore
from ltvl_mm.structures.store_parts import Part, locate_part
from ltvl_mm.utils.progress import progress_bar
from ltvl_mm.utils.rng import make_generator

DIM = 512
_ENCODER = {'arch': 'synthetic'}
_ROWS = 200_000  # of a part
_CHUNK = 10_000


def make_queries(classes: int) -> ClassQueries:
    """Return class queries that share most of their direction."""
    rng = make_generator(1, classes)
    axes, _ = _make_space()
    embeddings = 0.81 * axes[0] + 0.59 * _draw(rng, classes)
    return ClassQueries(
        tuple(f'class {k}' for k in range(classes)),
        ('{}',),
        _normalize(embeddings).astype(np.float32),
        _ENCODER,
    )


def make_store(root: Path, rows: int, classes: int = 1000) -> EmbeddingStore:
    """Write, or find, a store of ``rows`` float16 images.

    Cosines with any class are about 0.17 +- 0.04, as CLIP's are. Seven in
    ten images show a class, few classes having most of them (Zipf), more or
    less clearly; one in 200 repeats an earlier one.

    Args:
        root: Folder; parts that are there are taken as they are.
        rows: A multiple of 10,000.
        classes: Queries that images lean to.
    """
    queries = make_queries(classes).embeddings
    axes, _ = _make_space()
    shares = 1 / np.arange(1, classes + 1)
    parts = []
    with progress_bar(total=rows, title='make store', unit='img') as bar:
        for number, start in enumerate(range(0, rows, _ROWS)):
            size = min(_ROWS, rows - start)
            # Named by 1000 parts, so that larger stores find smaller ones.
            file = locate_part(root, 'img_emb', number, 1000)
            if not file.exists():
                matrix = np.empty((size, DIM), np.float16)
                for first in range(0, size, _CHUNK):
                    rng = make_generator(2, classes, start + first)
                    label = rng.choice(
                        classes, _CHUNK, p=shares / shares.sum()
                    )
                    lean = rng.uniform(0, 0.35, _CHUNK)
                    lean[rng.random(_CHUNK) < 0.3] = 0
                    images = (
                        0.2 * axes[0]
                        + 0.6 * axes[1]
                        + lean[:, None] * (queries[label] - 0.81 * axes[0])
                        + 0.75 * _draw(rng, _CHUNK)
                    )
                    copies = rng.integers(_CHUNK, size=(2, _CHUNK // 200))
                    images[copies[0]] = images[copies[1]]
                    matrix[first : first + _CHUNK] = _normalize(images)
                    bar.update(_CHUNK)
                file.parent.mkdir(parents=True, exist_ok=True)
                np.save(file, matrix, allow_pickle=False)
            # Its keys are never asked for.
            keys = file.with_suffix('.txt')
            parts.append(
                Part(number, file.stem, size, 'synthetic', (), file, keys)
            )
    return EmbeddingStore(root, _ENCODER, DIM, tuple(parts))


@functools.cache
def _make_space() -> tuple[np.ndarray, np.ndarray]:
    """Return axes, and a map that gives noise the spectrum of features.

    Variances fall off over the axes as those of real features do; about 130
    of 512 would have to be equal to vary as much.
    """
    rng = make_generator(0)
    axes, _ = np.linalg.qr(rng.normal(size=(DIM, DIM)))
    axes = axes.T.astype(np.float32)
    deviation = np.exp(-np.arange(DIM - 2) / 130).astype(np.float32)
    deviation /= np.linalg.norm(deviation)
    return axes, deviation[:, None] * axes[2:]


def _draw(rng: np.random.Generator, rows: int) -> np.ndarray:
    noise = rng.standard_normal((rows, DIM - 2), np.float32)
    return noise @ _make_space()[1]


def _normalize(rows: np.ndarray) -> np.ndarray:
    return rows / np.linalg.norm(rows, axis=1, keepdims=True)

"""Background classes of a retrieval: names that compete, without images."""

import hashlib
import json
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from ltvl_mm.structures.class_queries import (
    ClassQueries,
    check_query_width,
    describe_queries,
    parse_queries,
)
from ltvl_mm.utils.io import hash_content, read_arrays, write_arrays
from ltvl_mm.utils.remote_paths import as_path

FILE = 'background.npz'


@dataclass(frozen=True)
class Background:
    """Classes that are part of the softmax, but get no images.

    Args:
        queries: M names and their embeddings, of the encoder of the classes.
        source: ``'builtin'``, or the file that names or embeddings came from.
        given: Hash of the names before any was left out.
        left_out: Name that was left out -> the reason.
    """

    queries: ClassQueries
    source: str
    given: str
    left_out: dict[str, str] = field(default_factory=dict)

    def describe(self) -> dict:
        """Return what a manifest records, JSON-like."""
        return {
            'source': self.source,
            'names': list(self.queries.class_names),
            'queries': self.queries.fingerprint,
            'left_out': self.left_out,
        }


def join_queries(
    queries: ClassQueries, background: Background | None
) -> np.ndarray:
    """Return (K + M, D) float32 embeddings: of classes, then of background.

    Raises:
        ValueError: If the two are of different width.
    """
    if background is None:
        return queries.embeddings
    other = background.queries.embeddings
    width = queries.embeddings.shape[1]
    check_query_width(other, width, 'the background classes', 'the classes')
    return np.concatenate([queries.embeddings, other])


def save_background(path: str | Path, background: Background) -> None:
    """Write background classes, atomically."""
    queries = background.queries
    header = {
        **describe_queries(queries),
        'source': background.source,
        'given': background.given,
        'left_out': background.left_out,
    }
    write_arrays(
        path,
        header=np.array(json.dumps(header)),
        embeddings=queries.embeddings,
    )


def load_background(path: str | Path) -> Background:
    """Read what :func:`save_background` wrote.

    Raises:
        ValueError: If the file is none of these.
    """
    try:
        arrays = read_arrays(
            path, ('header', 'embeddings'), made_by='tools/retrieve.py'
        )
        header = json.loads(str(arrays['header']))
        return Background(
            parse_queries(header, arrays['embeddings']),
            header['source'],
            header['given'],
            dict(header['left_out']),
        )
    except (ValueError, KeyError, TypeError, RecursionError) as error:
        raise ValueError(
            f'{path} holds no background classes: {error}'
        ) from None


def find_background(folder: str | Path) -> Background | None:
    """Return the background classes of a retrieved folder; None if none."""
    path = as_path(folder) / FILE
    return load_background(path) if path.exists() else None


def hash_background(
    names: tuple[str, ...], templates: tuple[str, ...], embeddings: np.ndarray
) -> str:
    """Return a hash of background classes as they were given.

    Args:
        names: M names.
        templates: Their sentences.
        embeddings: (M, D) float32 if they were given, else (0, 0).
    """
    numbers = hashlib.sha256(np.ascontiguousarray(embeddings)).hexdigest()
    return hash_content([list(names), list(templates), numbers])

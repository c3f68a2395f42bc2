"""Class embeddings to search a store with."""

import hashlib
import json
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from ltvl_mm.structures.embedding_store import EmbeddingStore
from ltvl_mm.structures.encoder_identity import find_difference
from ltvl_mm.utils.io import hash_content, read_arrays, write_arrays

QUERY_GRID = 2.0**28


@dataclass(frozen=True)
class ClassQueries:
    """Text embeddings of class names and templates.

    Args:
        class_names: K names.
        templates: The sentences that were averaged.
        embeddings: (K, D) float32, L2-normalized; rounded to multiples of
            2^-28, so that their cosines can be computed without rounding.
            That is float32's own spacing for entries of 1/32 to 1/16.
        encoder: Names architecture, weights and preprocessing.
    """

    class_names: tuple[str, ...]
    templates: tuple
    embeddings: np.ndarray
    encoder: dict[str, str]

    def __post_init__(self) -> None:
        """Round; raise ValueError unless each name has one unit row."""
        rows, names = len(self.embeddings), len(self.class_names)
        if rows != names:
            raise ValueError(f'{rows} class embeddings for {names} names')
        rounded = np.rint(self.embeddings.astype(np.float64) * QUERY_GRID)
        rounded = (rounded / QUERY_GRID).astype(np.float32)
        object.__setattr__(self, 'embeddings', rounded)  # it is frozen
        norms = np.linalg.norm(self.embeddings, axis=1)
        if not (np.abs(norms - 1) <= 1e-3).all():
            raise ValueError(
                f'class embeddings must be L2-normalized, got norms from '
                f'{norms.min()} to {norms.max()}'
            )

    @property
    def fingerprint(self) -> str:
        """sha256 of all of it: equal queries, equal scores."""
        numbers = hashlib.sha256(self.embeddings.tobytes()).hexdigest()
        return hash_content([describe_queries(self), numbers])

    def check_store(self, store: EmbeddingStore) -> None:
        """Raise ValueError unless ``store`` was made by the same encoder."""
        check_query_encoder(self.encoder, store)


def check_query_encoder(
    encoder: dict[str, str], store: EmbeddingStore
) -> None:
    """Raise ValueError unless ``store`` was made by an encoder of queries.

    Args:
        encoder: Identity of the encoder of the queries.
        store: The store.
    """
    name = find_difference(encoder, store.encoder)
    if name is None:
        return
    advice = ''
    if name == 'preprocessing':
        advice = (
            '; embed the images again, or if the preprocessing of the '
            'store is right for its weights, give it with --preprocess'
        )
    raise ValueError(
        f'the store {store.name} and the class queries come from '
        f'different encoders: {name} is {store.encoder.get(name)!r} in '
        f'the store and {encoder.get(name)!r} in the queries{advice}'
    )


def check_query_width(
    embeddings: np.ndarray, width: int, name: str, other: str
) -> None:
    """Raise ValueError unless embeddings have the width of others.

    Args:
        embeddings: (K, D) embeddings.
        width: D of the others.
        name: Name of the embeddings in the message.
        other: Name of the others in the message.
    """
    if embeddings.shape[1] != width:
        raise ValueError(
            f'{name} have embeddings of width {embeddings.shape[1]}, and '
            f'{other} of width {width}; encode both with the same model'
        )


def save_queries(path: str | Path, queries: ClassQueries) -> None:
    """Write queries, atomically."""
    header = np.array(json.dumps(describe_queries(queries)))
    write_arrays(path, header=header, embeddings=queries.embeddings)


def load_queries(path: str | Path) -> ClassQueries:
    """Read what :func:`save_queries` wrote.

    Raises:
        ValueError: If the file is none of these.
    """
    try:
        arrays = read_arrays(
            path, ('header', 'embeddings'), made_by='tools/retrieve.py'
        )
        header = json.loads(str(arrays['header']))
        return parse_queries(header, arrays['embeddings'])
    except (ValueError, KeyError, TypeError, RecursionError) as error:
        raise ValueError(f'{path} holds no class queries: {error}') from None


def parse_queries(header: dict, embeddings: np.ndarray) -> ClassQueries:
    """Return the queries that :func:`describe_queries` was called with.

    Args:
        header: Result of :func:`describe_queries`, also read from JSON.
        embeddings: (K, D) embeddings of the queries.
    """
    return ClassQueries(
        tuple(header['class_names']),
        # As they were before JSON made lists of tuples.
        tuple(
            one if isinstance(one, str) else tuple(one)
            for one in header['templates']
        ),
        embeddings,
        header['encoder'],
    )


def describe_queries(queries: ClassQueries) -> dict:
    """Return what a file says of queries besides their embeddings."""
    return {
        'class_names': queries.class_names,
        'templates': queries.templates,
        'encoder': queries.encoder,
    }

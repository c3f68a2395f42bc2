"""Class embeddings to search a store with."""

from dataclasses import dataclass

import numpy as np

from ltvl_mm.structures.embedding_store import EmbeddingStore

QUERY_GRID = 2.0**28


@dataclass(frozen=True)
class ClassQueries:
    """What a frozen text tower makes of class names and templates.

    Args:
        class_names: K names.
        templates: The sentences that were averaged.
        embeddings: (K, D) float32, L2-normalised; rounded to multiples of
            2^-28, so that their cosines can be computed without rounding.
            That is float32's own spacing for entries of 1/32 to 1/16.
        encoder: Names architecture, weights and preprocessing.
    """

    class_names: tuple[str, ...]
    templates: tuple[str, ...]
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
                f'class embeddings must be L2-normalised, got norms from '
                f'{norms.min()} to {norms.max()}'
            )

    def check_store(self, store: EmbeddingStore) -> None:
        """Raise ValueError unless ``store`` was made by the same encoder."""
        for name in sorted(self.encoder | store.encoder):
            ours, theirs = self.encoder.get(name), store.encoder.get(name)
            if ours != theirs:
                raise ValueError(
                    f'the store {store.root} and the class queries come from '
                    f'different encoders: {name} is {theirs!r} in the store '
                    f'and {ours!r} in the queries'
                )

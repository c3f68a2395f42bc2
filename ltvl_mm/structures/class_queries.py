"""Class embeddings to search a store with."""

from dataclasses import dataclass

import numpy as np

from ltvl_mm.structures.embedding_store import EmbeddingStore


@dataclass(frozen=True)
class ClassQueries:
    """What a frozen text tower makes of class names and templates.

    Args:
        class_names: K names.
        templates: The sentences that were averaged.
        embeddings: (K, D) float32, L2-normalised.
        encoder: Names architecture, weights and preprocessing.
    """

    class_names: tuple[str, ...]
    templates: tuple[str, ...]
    embeddings: np.ndarray
    encoder: dict[str, str]

    def __post_init__(self) -> None:
        """Raise ValueError unless there is one unit row per class name."""
        rows, names = len(self.embeddings), len(self.class_names)
        if rows != names:
            raise ValueError(f'{rows} class embeddings for {names} names')
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

"""Features of the images of a list: saved once, studied in seconds."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from ltvl_mm.utils.io import read_arrays, write_arrays
from ltvl_mm.utils.npz_check import check_kind, take_texts


@dataclass(frozen=True)
class Features:
    """Penultimate features of N images.

    Attributes:
        features: (N, F) float32.
        labels: (N,) int64, the true classes.
        paths: Paths of the images.
        classifier: Name of the model's linear layer that maps these features
            to its logits; '' where there is none.
        tau: Exponent by which the model divides the weights of a class by
            their norm, leaving the bias out, as ResLT's gamma; None where
            its logits are w f + b.
    """

    features: np.ndarray
    labels: np.ndarray
    paths: tuple[str, ...]
    classifier: str = ''
    tau: float | None = None

    def __post_init__(self) -> None:
        """Check shapes and values.

        Raises:
            ValueError: If they are not as described; names the image.
        """
        rows = {len(self.features), len(self.labels), len(self.paths)}
        if self.features.ndim != 2 or len(rows) > 1 or 0 in rows:
            raise ValueError(
                f'features {self.features.shape}, labels {self.labels.shape} '
                f'and {len(self.paths)} paths are not (N, F), (N,) and N > 0'
            )
        wrong = ~np.isfinite(self.features).all(1)
        if wrong.any():
            raise ValueError(
                f'features of {self.paths[wrong.argmax()]} are not finite'
            )

    def pick(self, rows: np.ndarray) -> 'Features':
        """Return the features of some images, (M,) int."""
        return Features(
            self.features[rows],
            self.labels[rows],
            tuple(self.paths[row] for row in rows),
            self.classifier,
            self.tau,
        )


def save_features(path: str | Path, features: Features) -> None:
    """Write a ``.npz``, atomically and without pickle."""
    tau = {} if features.tau is None else {'tau': np.array(features.tau)}
    write_arrays(
        path,
        **tau,
        features=features.features,
        labels=features.labels,
        paths=np.array(features.paths, np.str_),
        classifier=np.array(features.classifier, np.str_),
    )


def load_features(path: str | Path) -> Features:
    """Read the features of a ``.npz`` file of :func:`save_features`.

    Raises:
        ValueError: If it is another file; names it.
    """
    arrays = read_arrays(
        path,
        ('features', 'labels', 'paths'),
        made_by='tools/analysis_tools/save_features.py',
        optional=('classifier', 'tau'),
    )
    arrays.setdefault('classifier', np.array(''))
    try:
        check_kind(arrays, 'features', 'f', 2)
        check_kind(arrays, 'labels', 'iu', 1)
        check_kind(arrays, 'classifier', 'U', 0)
        if 'tau' in arrays:
            check_kind(arrays, 'tau', 'fiu', 0)
        return Features(
            features=arrays['features'],
            labels=arrays['labels'].astype(np.int64),
            paths=take_texts(arrays, 'paths'),
            classifier=str(arrays['classifier']),
            tau=float(arrays['tau']) if 'tau' in arrays else None,
        )
    except ValueError as error:
        raise ValueError(f'{path} holds no features: {error}') from None

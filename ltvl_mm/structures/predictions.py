"""Saved predictions of a model for the images of a list.

Ensembles, logit adjustment and other post-hoc methods choose their settings
on the predictions for val and are tested once on those for test.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from ltvl_mm.utils.io import read_arrays, write_arrays
from ltvl_mm.utils.npz_check import check_kind, take_texts

# The logarithm of float32's smallest number: what log gives for a 0.
LOWEST_LOG = -104.0
# Label of an image that shows none of the classes, as the lists of OLTR have
# it.
UNKNOWN = -1


@dataclass(frozen=True)
class Predictions:
    """Probabilities of N images over K classes, sorted by path.

    Attributes:
        probabilities: (N, K) float32, softmax scores.
        labels: (N,) int64, the true classes, in [0, K), or UNKNOWN.
        paths: Paths of the images, each once, in ascending order, so that
            files of two models over one list hold the same rows.
        class_names: K names; None if the data set did not name them.
    """

    probabilities: np.ndarray
    labels: np.ndarray
    paths: tuple[str, ...]
    class_names: tuple[str, ...] | None = None

    def __post_init__(self) -> None:
        """Check shapes, ranges and order.

        Raises:
            ValueError: If they are not as described; names row and value.
        """
        if not len(self.paths):
            raise ValueError('there are no predictions')
        shape = self.probabilities.shape
        whole = np.issubdtype(self.labels.dtype, np.integer)
        if not whole or len(shape) != 2 or self.labels.ndim != 1:
            raise ValueError(
                f'expected (N, K) probabilities and (N,) whole labels, got '
                f'{shape} and {self.labels.dtype} {self.labels.shape}'
            )
        if len({shape[0], len(self.labels), len(self.paths)}) > 1:
            raise ValueError(
                f'probabilities {shape}, labels {self.labels.shape} and '
                f'{len(self.paths)} paths are not (N, K), (N,) and N'
            )
        if self.class_names and len(self.class_names) != shape[1]:
            raise ValueError(
                f'{len(self.class_names)} class names for scores over '
                f'{shape[1]} classes'
            )
        wrong = ~np.isclose(self.probabilities.sum(1), 1, atol=1e-2)
        wrong |= ~(self.probabilities >= 0).all(1)
        if wrong.any():
            row = int(wrong.argmax())
            raise ValueError(
                f'scores of {self.paths[row]} are not probabilities: their '
                f'sum is {self.probabilities[row].sum():.4g}'
            )
        outside = (self.labels < UNKNOWN) | (self.labels >= shape[1])
        if outside.any():
            row = int(outside.argmax())
            raise ValueError(
                f'label {self.labels[row]} of {self.paths[row]} lies outside '
                f'[0, {shape[1]}), and is not {UNKNOWN} (of no class)'
            )
        for one, other in zip(self.paths, self.paths[1:], strict=False):
            if one >= other:
                raise ValueError(
                    f'paths must be sorted and unique, but {other} follows '
                    f'{one}'
                )

    def __len__(self) -> int:
        return len(self.paths)

    def log_probabilities(self) -> np.ndarray:
        """Return (N, K) float64: logits, but for a number per row."""
        with np.errstate(divide='ignore'):
            logs = np.log(self.probabilities.astype(np.float64))
        return np.maximum(logs, LOWEST_LOG)


def sort_predictions(
    probabilities: np.ndarray,
    labels: np.ndarray,
    paths: Sequence[str],
    class_names: Sequence[str] | None = None,
) -> Predictions:
    """Return predictions that come in any order, sorted by path."""
    order = np.array(sorted(range(len(paths)), key=paths.__getitem__), int)
    return Predictions(
        probabilities=np.asarray(probabilities, np.float32)[order],
        labels=np.asarray(labels, np.int64)[order],
        paths=tuple(paths[row] for row in order),
        class_names=None if class_names is None else tuple(class_names),
    )


def save_predictions(path: str | Path, predictions: Predictions) -> None:
    """Write a ``.npz``, atomically and without pickle."""
    names = predictions.class_names
    write_arrays(
        path,
        probabilities=predictions.probabilities,
        labels=predictions.labels,
        paths=np.array(predictions.paths, np.str_),
        **({} if names is None else {'class_names': np.array(names, np.str_)}),
    )


def load_predictions(
    path: str | Path, *, unknown: bool = False
) -> Predictions:
    """Read what :func:`save_predictions` wrote.

    Args:
        path: The ``.npz``.
        unknown: The labels are all UNKNOWN, instead of none of them.

    Raises:
        ValueError: If it is another file, or has other labels; names it.
    """
    arrays = read_arrays(
        path,
        ('probabilities', 'labels', 'paths'),
        made_by=f'tools/test.py CONFIG CHECKPOINT --out {path}',
        optional=('class_names',),
    )
    try:
        check_kind(arrays, 'probabilities', 'f', 2)
        check_kind(arrays, 'labels', 'iu', 1)
        named = 'class_names' in arrays
        predictions = Predictions(
            probabilities=arrays['probabilities'],
            labels=arrays['labels'].astype(np.int64),
            paths=take_texts(arrays, 'paths'),
            class_names=take_texts(arrays, 'class_names') if named else None,
        )
    except ValueError as error:
        raise ValueError(f'{path} holds no predictions: {error}') from None
    odd = (predictions.labels == UNKNOWN) != unknown
    if odd.any():
        row = int(odd.argmax())
        expected = f'{UNKNOWN}, of no class' if unknown else 'a class'
        raise ValueError(
            f'{path}: the label of {predictions.paths[row]} is '
            f'{predictions.labels[row]}, expected {expected}'
        )
    return predictions


def check_same_images(
    predictions: Sequence[Predictions], names: Sequence[str]
) -> None:
    """Refuse predictions that are not of the same images and classes.

    Args:
        predictions: Predictions of several models.
        names: Names of the models or files in the message.

    Raises:
        ValueError: Naming the first image or number that differs.
    """
    first = predictions[0]
    for other, name in zip(predictions[1:], names[1:], strict=True):
        if other.probabilities.shape != first.probabilities.shape:
            raise ValueError(
                f'{name} holds {other.probabilities.shape} scores (images, '
                f'classes), {names[0]} {first.probabilities.shape}'
            )
        for row, path in enumerate(first.paths):
            mine = (path, int(first.labels[row]))
            theirs = (other.paths[row], int(other.labels[row]))
            if mine != theirs:
                raise ValueError(
                    f'{name} and {names[0]} are of different images: row '
                    f'{row} is {theirs} and {mine}'
                )

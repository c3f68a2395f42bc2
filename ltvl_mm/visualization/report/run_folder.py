"""A training and its tests, as far as they are there."""

from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

PREDICTIONS = 'test.npz'
METRICS = 'metrics.json'
PER_CLASS = 'shot/per_class'  # in METRICS


@dataclass(frozen=True)
class Answers:
    """Predictions for the test images, without the scores of all classes.

    Attributes:
        pred: (N,) classes, in [0, K).
        confidence: (N,) their probabilities.
        labels: (N,) true classes, in [0, K).
        num_classes: K.
        class_names: K names, or None.
        images: A digest that two models over the same images share.
    """

    pred: np.ndarray
    confidence: np.ndarray
    labels: np.ndarray
    num_classes: int
    class_names: tuple[str, ...] | None
    images: str

    @property
    def right(self) -> np.ndarray:
        """(N,) bool."""
        return self.pred == self.labels


@dataclass(frozen=True)
class RunFolder:
    """A training and its tests.

    Attributes:
        name: Name of the method.
        path: The folder.
        seed: N of a folder ``seed<N>`` that it lies in, else the config's.
        config: Text of the config; '' if it is gone.
        counts: (K,) images per class of the original training set.
        train_list: List of the original training set; None if the counts
            come from elsewhere.
        manifest: Manifest of the retrieved training images.
        retrieved: (K,) of these per class.
        answers: On test.
        metrics: Accuracies in percent by name, as ``metrics.json`` has them.
        features: File of those of test images.
        curves: Scalar -> (M, 2) steps and values; of validation per epoch.
        commands: Commands of the run; see :mod:`ltvl_mm.utils.provenance`.
        missing: Part -> why it is not here. Every part may be.
    """

    name: str
    path: Path
    seed: int | None = None
    config: str = ''
    counts: np.ndarray | None = None
    train_list: Path | None = None
    manifest: Path | None = None
    retrieved: np.ndarray | None = None
    answers: Answers | None = None
    metrics: dict = field(default_factory=dict)
    features: Path | None = None
    curves: dict[str, np.ndarray] = field(default_factory=dict)
    commands: list[dict] = field(default_factory=list)
    missing: dict[str, str] = field(default_factory=dict)

    def get_answers(self) -> Answers:
        """Return the predictions on test.

        Raises:
            ValueError: If the run has none.
        """
        if self.answers is None:
            raise ValueError(
                f'{self.path} has no predictions; test it with '
                f'--predictions test.npz'
            )
        return self.answers

    @property
    def tells_classes(self) -> bool:
        """True if the accuracy of each class is known."""
        return self.answers is not None or PER_CLASS in self.metrics

    @property
    def num_classes(self) -> int | None:
        """Number of classes by the most reliable part that has it."""
        if self.answers is not None:
            return self.answers.num_classes
        parts = (self.counts, self.retrieved, self.metrics.get(PER_CLASS))
        return next((len(part) for part in parts if part is not None), None)

    @property
    def label(self) -> str:
        """Name and seed."""
        return (
            self.name
            if self.seed is None
            else f'{self.name}, seed {self.seed}'
        )

"""Precision of retrieved images by neighbors, or by probabilities."""

import numpy as np

from ltvl_mm.evaluation.retrieval_quality import (
    describe_val,
    estimate_precision,
    measure_agreement,
)
from ltvl_mm.structures.labeled_embeddings import LabeledEmbeddings

AGREEMENT = 'the nearest val images'
PROBABILITY = 'probabilities calibrated on val'
# From this number of classes on, retrieval uses no background names itself.
_MANY_CLASSES = 64


def describe_bias(num_classes: int, *, has_background: bool) -> str:
    """Return how far estimates of precision were from the truth, as a clause.

    Measured on the emoji world, with a budget of 300 images a class.

    Args:
        num_classes: Number of classes K.
        has_background: True if background names are in the softmax.
    """
    if has_background:
        return (
            'with background names and few classes it is too low: of 8 '
            'classes, 33 % were estimated and 71 % right'
        )
    if num_classes < _MANY_CLASSES:
        return (
            'without background names and with few classes it is too high: '
            'of 8 classes, 87 % were estimated and 72 % right'
        )
    return (
        'it can be too high: of 96 classes, 73 % were estimated and 68 % '
        'right, with --min-probability 0.5 95 and 96 %'
    )


class PrecisionEstimator:
    """Estimates the precision of some of M retrieved images.

    There are two estimates, and the lower one is taken, since both err
    upwards: the agreement with reference val images, where most classes have
    some, by noise in few val images; the mean of the calibrated probabilities
    if web images show none of the classes.

    Args:
        class_id: (M,) classes that the images were retrieved for.
        calibrated: (M,) probabilities of these classes, calibrated on val.
        embeddings: (M, D) embeddings, L2-normalized.
        references: Val images, equally many of each class that has some; see
            :func:`ltvl_mm.evaluation.retrieval_quality.choose_references`.
        probabilities: (R, K) calibrated probabilities of the references.
    """

    def __init__(
        self,
        class_id: np.ndarray,
        calibrated: np.ndarray,
        embeddings: np.ndarray,
        references: LabeledEmbeddings,
        probabilities: np.ndarray,
    ) -> None:
        self.class_id = class_id
        self.calibrated = calibrated
        self.measured = np.isin(class_id, references.labels)
        self.agrees = np.zeros(len(class_id), bool)
        self.reference = None
        if len(references.labels):
            self.agrees = measure_agreement(
                embeddings,
                class_id,
                references.embeddings,
                references.labels,
            )
            self.reference = describe_val(
                references.embeddings, references.labels, probabilities
            )

    def estimate(self, inside: np.ndarray) -> float | None:
        """Return the precision of some images in percent; None without any.

        Args:
            inside: (M,) bool.
        """
        return self._choose(inside)[0]

    def name_method(self, inside: np.ndarray) -> str | None:
        """Return what :meth:`estimate` judges by; None without images."""
        return self._choose(inside)[1]

    def average_by_class(self, num_classes: int) -> np.ndarray:
        """Return the (K,) percent of agreeing images; NaN where unknown."""
        labels = self.class_id[self.measured]
        count = np.bincount(labels, minlength=num_classes)
        total = np.bincount(
            labels, self.agrees[self.measured], minlength=num_classes
        )
        return np.where(count > 0, 100 * total / np.maximum(count, 1), np.nan)

    def _choose(self, inside: np.ndarray) -> tuple[float | None, str | None]:
        if not inside.any():
            return None, None
        by_probability = float(100 * self.calibrated[inside].mean())
        by_agreement = self._compare(inside)
        if by_agreement is None or by_probability < by_agreement:
            return by_probability, PROBABILITY
        return by_agreement, AGREEMENT

    def _compare(self, inside: np.ndarray) -> float | None:
        some = inside & self.measured
        if self.reference is None or 2 * some.sum() < inside.sum():
            return None
        return estimate_precision(
            self.agrees[some], self.calibrated[some], self.reference
        )

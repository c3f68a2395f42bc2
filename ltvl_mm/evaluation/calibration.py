"""Reliability bins and expected calibration error (ECE)."""

from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class ReliabilityBins:
    """Predictions by confidence, in bins of equal width.

    Attributes:
        count: (B,) predictions of a bin.
        confidence: (B,) their mean confidence in percent; NaN if none.
        accuracy: (B,) how many of them are right, in percent; NaN if none.
    """

    count: np.ndarray
    confidence: np.ndarray
    accuracy: np.ndarray

    @property
    def error(self) -> float:
        """Expected calibration error in percent: mean gap by count."""
        seen = self.count > 0
        gaps = np.abs(self.confidence - self.accuracy)[seen]
        return float(np.average(gaps, weights=self.count[seen]))


def bin_confidences(
    confidence: np.ndarray, right: np.ndarray, *, bins: int = 15
) -> ReliabilityBins:
    """Group predictions by how sure the model was.

    Source: Guo et al. 2017 (arXiv 1706.04599), section 2; 15 bins as there.

    Args:
        confidence: (N,) highest probabilities, in [0, 1], N > 0.
        right: (N,) bool.
        bins: Number of bins, B >= 1.

    Raises:
        ValueError: If there is no prediction, or a confidence lies outside
            [0, 1].
    """
    if not len(confidence):
        raise ValueError('there is no prediction to bin')
    outside = ~((confidence >= 0) & (confidence <= 1 + 1e-6))
    if outside.any():
        raise ValueError(
            f'confidences must lie in [0, 1], got {confidence[outside][0]}'
        )
    place = np.minimum((confidence * bins).astype(int), bins - 1)
    count = np.bincount(place, minlength=bins)
    with np.errstate(invalid='ignore'):
        return ReliabilityBins(
            count,
            100 * np.bincount(place, confidence, minlength=bins) / count,
            100 * np.bincount(place, right, minlength=bins) / count,
        )

"""Post-hoc logit adjustment: answers as if classes were equally frequent."""

from typing import TYPE_CHECKING

import numpy as np

from ltvl_mm.structures.predictions import LOWEST_LOG, Predictions

if TYPE_CHECKING:  # imports pyarrow, which --help of commands does not need
    from ltvl_mm.structures.manifest import Manifest

TAUS = tuple(round(0.1 * step, 1) for step in range(31))


def adjust_logits(
    predictions: Predictions,
    counts: np.ndarray,
    tau: float,
    *,
    test_prior: np.ndarray | None = None,
) -> np.ndarray:
    """Return the (N, K) scores log p - tau log pi + log q.

    With tau = 1 and the test prior q known, PC softmax (Hong et al. 2021,
    arXiv 2012.00321, Eq. 5); with q uniform, post-hoc logit adjustment (Menon
    et al. 2021, Eq. 9).

    Args:
        predictions: Predictions of a model trained with plain cross-entropy.
        counts: (K,) images per class that it was trained on.
        tau: Strength, >= 0.
        test_prior: (K,) shares q of the classes in the test set; None if
            uniform or unknown.

    Raises:
        ValueError: If there are other than K numbers.
    """
    classes = predictions.probabilities.shape[1]
    for name, given in (('counts', counts), ('test_prior', test_prior)):
        if given is not None and given.shape != (classes,):
            raise ValueError(
                f'{name} must be {classes} numbers, got shape {given.shape}'
            )
    scores = predictions.log_probabilities() - tau * _log_shares(counts)
    return scores if test_prior is None else scores + _log_shares(test_prior)


def count_trained_images(
    counts: np.ndarray, manifest: 'Manifest', *, by_probability: bool = False
) -> np.ndarray:
    """Return the (K,) target and retrieved images per class of a training.

    Args:
        counts: (K,) target images per class.
        manifest: Retrieved images.
        by_probability: True to count a retrieved image as its probability
            p_k, as the training recipe ``weighted`` does.

    Raises:
        ValueError: If ``by_probability`` and the manifest has none.
    """
    weights = manifest.compute_probabilities() if by_probability else None
    return counts + np.bincount(
        manifest.class_id, weights=weights, minlength=len(counts)
    )


def _log_shares(counts: np.ndarray) -> np.ndarray:
    with np.errstate(divide='ignore'):
        return np.maximum(np.log(counts / counts.sum()), LOWEST_LOG)

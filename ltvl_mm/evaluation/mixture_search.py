"""Choose the mixture weight of two models on val."""

import itertools
import math
from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import torch

from ltvl_mm.evaluation.functional import (
    compute_class_accuracies,
    summarize_accuracies,
)
from ltvl_mm.evaluation.mixture_grid import ALPHAS, SCALES
from ltvl_mm.evaluation.post_hoc import score_methods
from ltvl_mm.structures.predictions import Predictions, check_same_images
from ltvl_mm.structures.score_mixture import ScoreMixture
from ltvl_mm.utils.progress import progress_bar


def search_mixtures(
    val: Sequence[Predictions],
    group_of_class: np.ndarray,
    space: str,
    *,
    alphas: Sequence[float] = ALPHAS,
    scales: Sequence[float] = SCALES,
) -> list[dict]:
    """Return what each mixture of two models reaches on val.

    Args:
        val: Predictions on val of the first model, a student, and of the
            second, such as CLIP.
        group_of_class: (K,) names, by training counts.
        space: ``'logit'`` or ``'probability'``; see :class:`ScoreMixture`.
        alphas: Shares of the first model, in [0, 1].
        scales: Finite factors > 0 on the second model's logits.

    Returns:
        A row per scale and alpha, in that order: ``alpha``, ``scale``, and
        the accuracies of :func:`summarize_accuracies` and their mean over
        classes, ``class_mean``, in percent.

    Raises:
        ValueError: If the predictions are not of the same images, or an
            alpha or a scale is out of its range.
    """
    check_same_images(val, ['the first model', 'the second model'])
    _check_grid(alphas, scales)
    logits = as_logits(val)
    rows = []
    with progress_bar(
        total=len(scales) * len(alphas), title='val', unit='mixtures'
    ) as bar:
        for scale, alpha in itertools.product(scales, alphas):
            pred = predict_mixture(logits, alpha, scale, space)
            found = summarize_accuracies(pred, val[0].labels, group_of_class)
            mean = compute_class_accuracies(
                pred, val[0].labels, len(group_of_class)
            )
            row = {'alpha': alpha, 'scale': scale, **found}
            rows.append({**row, 'class_mean': float(np.nanmean(mean))})
            bar.update()
    return rows


def predict_mixture(
    logits: Sequence[torch.Tensor], alpha: float, scale: float, space: str
) -> np.ndarray:
    """Return the (N,) classes that two models' (N, K) logits give mixed."""
    return _mix(logits, alpha, scale, space).argmax(1).numpy()


def mix_predictions(
    predictions: Sequence[Predictions], alpha: float, scale: float, space: str
) -> Predictions:
    """Return the predictions of two models mixed, as a model would give them.

    Args:
        predictions: Predictions of both on the same images.
        alpha: Share of the first model, in [0, 1].
        scale: Factor on the second model's logits, > 0.
        space: ``'logit'`` or ``'probability'``; see :class:`ScoreMixture`.

    Raises:
        ValueError: If the predictions are not of the same images.
    """
    check_same_images(predictions, ['the first model', 'the second model'])
    mixed = _mix(as_logits(predictions), alpha, scale, space)
    return replace(predictions[0], probabilities=mixed.softmax(-1).numpy())


def score_models(
    predictions: Sequence[Predictions],
    group_of_class: np.ndarray,
    names: Sequence[str],
    chosen: dict,
    space: str,
) -> list[dict]:
    """Return the accuracies of two models, and of their mixture.

    Args:
        predictions: Predictions of the two models on val or on test.
        group_of_class: (K,) names, by training counts.
        names: Names of the two models.
        chosen: Result of :func:`~ltvl_mm.evaluation.post_hoc.choose_setting`.
        space: The same as on val.

    Returns:
        Three rows for a table: ``method``, accuracies and ``per_class``.
    """
    logits = as_logits(predictions)
    alpha, scale = chosen['alpha'], chosen['scale']
    preds = {
        **{
            name: one.argmax(1).numpy()
            for name, one in zip(names, logits, strict=True)
        },
        ' + '.join(names): predict_mixture(logits, alpha, scale, space),
    }
    return score_methods(preds, predictions[0].labels, group_of_class)


def compare_mixture(val: Sequence[dict], by: str) -> tuple[str, float]:
    """Return the better of two models on val, and the mixture's gain over it.

    Args:
        val: Result of :func:`score_models` on val.
        by: Accuracy that the mixture was chosen by.

    Returns:
        Name of the model, and the difference in points, negative if the
        mixture is worse.
    """
    *models, mixture = val
    better = max(models, key=lambda row: row[by])
    return better['method'], mixture[by] - better[by]


def as_logits(predictions: Sequence[Predictions]) -> list[torch.Tensor]:
    """Return the (N, K) log-probabilities of each model, in float32."""
    return [
        torch.from_numpy(one.log_probabilities()).float()
        for one in predictions
    ]


def _check_grid(alphas: Sequence[float], scales: Sequence[float]) -> None:
    """Raise ValueError unless all mixtures are defined; name the option."""
    for alpha in alphas:
        if not 0 <= alpha <= 1:
            raise ValueError(
                f'alphas (--alphas) must lie in [0, 1], got {alpha}'
            )
    for scale in scales:
        if not 0 < scale < math.inf:
            raise ValueError(
                f'scales (--scales) must be finite numbers > 0, got {scale}'
            )


def _mix(
    logits: Sequence[torch.Tensor], alpha: float, scale: float, space: str
) -> torch.Tensor:
    mixture = ScoreMixture((alpha, 1 - alpha), (1.0, scale), space)
    return mixture.mix(logits)

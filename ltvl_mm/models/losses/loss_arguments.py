"""Checks and reductions shared by the losses and heads."""

from collections.abc import Sequence

import torch
from mmengine.dist import all_reduce
from mmpretrain.models.losses.utils import weight_reduce_loss
from mmpretrain.structures import DataSample
from torch import nn

_REDUCTIONS = (None, 'none', 'mean', 'sum')
REMEDY = (
    'remove Mixup, CutMix and similar batch augmentations from the '
    "model's train_cfg, and to_onehot from its data_preprocessor"
)


def check_hard_labels(target: torch.Tensor, owner: object) -> None:
    """Raise ValueError unless ``target`` holds one class index per image.

    Args:
        target: (N,) class indices; (N, K) soft labels raise.
        owner: Loss that cannot use soft labels; named in the message.
    """
    if target.ndim != 1:
        raise ValueError(
            f'{type(owner).__name__} needs one class per image, got labels '
            f'of shape {tuple(target.shape)}; train without MixUp and '
            f'CutMix: {REMEDY}'
        )


def check_hard_samples(
    data_samples: Sequence[DataSample], owner: object | str
) -> None:
    """Raise ValueError if samples carry soft labels (``gt_score``).

    mmpretrain's data preprocessor writes ``gt_score`` when it mixes images,
    and leaves the ``gt_label`` of one of them, which a head must not use.

    Args:
        data_samples: The batch; all samples are of one kind.
        owner: Model or head that needs hard labels, or its name; named in
            the message.
    """
    if 'gt_score' in data_samples[0]:
        name = owner if isinstance(owner, str) else type(owner).__name__
        raise ValueError(
            f'{name} needs one class per image, but the '
            f'samples carry soft labels (gt_score); {REMEDY}'
        )


def check_no_batch_augments(
    owner: nn.Module, train_cfg: dict | None = None
) -> None:
    """Raise ValueError if a model is built with batch augmentations.

    Args:
        owner: Classifier that needs hard labels, with its data_preprocessor.
        train_cfg: Its ``train_cfg``, in which mmpretrain looks for them.
    """
    preprocessor = getattr(owner, 'data_preprocessor', None)
    if (train_cfg or {}).get('augments') or getattr(
        preprocessor, 'batch_augments', None
    ):
        raise ValueError(
            f'{type(owner).__name__} needs one class per image and cannot '
            f'train on mixed images; {REMEDY}'
        )


def check_weight(
    weight: torch.Tensor | None, count: int, owner: object
) -> None:
    """Raise ValueError unless ``weight`` is None or of shape (N,).

    Args:
        weight: Sample weights.
        count: Number of images N.
        owner: Loss; named in the message.
    """
    if weight is not None and weight.shape != (count,):
        raise ValueError(
            f'{type(owner).__name__} needs one weight per image, shape '
            f'({count},), got {tuple(weight.shape)}'
        )


def reduce_losses(
    losses: torch.Tensor,
    weight: torch.Tensor | None = None,
    *,
    avg_factor: float | torch.Tensor | None = None,
    reduction_override: str | None = None,
    owner: object,
) -> torch.Tensor:
    """Weight and reduce the losses of a batch as mmpretrain's losses do.

    Args:
        losses: (N,) loss of each image.
        weight: (N,) sample weights; None for 1.
        avg_factor: Divisor of the sum; None for N.
        reduction_override: ``'none'``, ``'mean'`` or ``'sum'``; None for
            ``'mean'``.
        owner: Loss; named in messages.

    Raises:
        ValueError: If the weights have another shape, the reduction is
            unknown, or ``avg_factor`` is combined with ``'sum'``.
    """
    check_weight(weight, len(losses), owner)
    if reduction_override not in _REDUCTIONS:
        raise ValueError(
            f'{type(owner).__name__}: reduction_override must be one of '
            f'{_REDUCTIONS}, got {reduction_override!r}'
        )
    return weight_reduce_loss(
        losses, weight, reduction_override or 'mean', avg_factor
    )


def average(values: torch.Tensor, weight: torch.Tensor | None) -> torch.Tensor:
    """Return the mean of values over the batch of all processes.

    A loss that is normalized by it has the gradient of one process with the
    whole batch. No gradient flows through the mean.

    Args:
        values: (N,) values, such as the class weights of the images; N is the
            same in all processes.
        weight: (N,) sample weights; None for 1. Weights that are all 0 count
            as equal: what they multiply is 0 anyway.
    """
    if weight is None:
        mean = values.detach().mean()
        all_reduce(mean, 'mean')
        return mean
    weight = clamp_weight(weight)
    sums = torch.stack([(weight * values).sum(), weight.sum()]).detach()
    all_reduce(sums, 'sum')
    return sums[0] / sums[1]


def clamp_weight(weight: torch.Tensor) -> torch.Tensor:
    """Return (N,) float32 weights that are never 0, so that logs exist."""
    return weight.float().clamp(min=torch.finfo(torch.float32).tiny)

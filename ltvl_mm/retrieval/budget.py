"""Number of web images to retrieve per class."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from ltvl_mm.structures.class_counts import are_counts

# Takes images while their expected precision is high.
AUTO = 'auto'
AUTO_LIMIT = 300
RULE_HELP = (
    'a number for all classes, a .json list of one number per class, '
    'balance_to:N, which tops every class up to N images, balance_to:max, to '
    'as many as the largest class has, or auto, which takes images while '
    'their expected precision is high'
)


def compute_budget(
    rule: str | int | Path | Sequence[int],
    num_classes: int,
    train_counts: np.ndarray | None = None,
) -> np.ndarray:
    """Return n_k, the (K,) numbers of images to retrieve.

    The paper does not give its n_k (section 2.3, Eq. 4).

    Args:
        rule: A number for all classes; K numbers; ``'balance_to:N'``:
            max(0, N - training images); ``'balance_to:max'``: the same with
            the images of the largest class as N; or ``'auto'``, of which
            this is the upper limit: 300, or with counts that of
            ``'balance_to:max'``.
        num_classes: K.
        train_counts: (K,) training images; needed by ``balance_to``.

    Raises:
        ValueError: If the rule is unknown, gives a negative number or not K
            numbers, or lacks the counts.
    """
    text = str(rule)
    if text == AUTO:
        text = str(AUTO_LIMIT) if train_counts is None else 'balance_to:max'
    if text.startswith('balance_to:'):
        if train_counts is None:
            raise ValueError(
                f'the budget {rule!r} needs the training counts of the '
                f'classes (--class-counts)'
            )
        goal = text.removeprefix('balance_to:')
        if goal == 'max':
            goal = str(int(np.max(train_counts)))
        if not goal.isdecimal():
            raise ValueError(
                f'expected balance_to:N with N >= 0, or balance_to:max, got '
                f'{rule!r}'
            )
        return np.maximum(0, int(goal) - np.asarray(train_counts))
    if text.isdecimal():
        return np.full(num_classes, int(text))
    if isinstance(rule, str):
        raise ValueError(f'the budget must be {RULE_HELP}; got {rule!r}')
    budget = np.asarray(rule)
    if not are_counts(budget, num_classes):
        raise ValueError(
            f'the budget must be {num_classes} whole numbers >= 0, got '
            f'{rule!r:.100}'
        )
    return budget

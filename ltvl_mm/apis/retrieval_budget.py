"""Images per class of a retrieval, by a rule or by expected precision."""

import logging
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
from mmengine.dist import get_rank
from mmengine.logging import print_log

from ltvl_mm.retrieval.budget import AUTO, compute_budget
from ltvl_mm.retrieval.options import MIN_PRECISION, RetrievalOptions
from ltvl_mm.structures.class_counts import load_class_counts
from ltvl_mm.structures.embedding_store import EmbeddingStore
from ltvl_mm.utils.io import read_json


def find_budget(
    rule: int | str | Path | Sequence[int],
    num_classes: int,
    counts: str | Path | Sequence[int] | None,
) -> np.ndarray:
    """Return the (K,) images wanted; of ``'auto'`` the upper limit.

    Args:
        rule: Rule of :func:`ltvl_mm.retrieval.budget.compute_budget`, or a
            ``.json`` of K numbers.
        num_classes: K.
        counts: Training images per class: a list, a ``.json``, or K numbers;
            None if the rule needs none.
    """
    if counts is not None:
        counts = load_class_counts(counts, num_classes)
    if isinstance(rule, (str, Path)) and Path(rule).suffix == '.json':
        rule = read_json(rule)
    budget = compute_budget(rule, num_classes, counts)
    if not budget.any() and get_rank() == 0:
        reason = ''
        if counts is not None and isinstance(rule, str):
            reason = (
                f', since each class has at least {int(np.min(counts))} '
                f'training images'
            )
        print_log(
            f'nothing is retrieved: the budget {rule!r} asks for 0 images of '
            f'each class{reason}. Give another --budget',
            'current',
            level=logging.WARNING,
        )
    return budget


def resolve_auto_budget(
    budget: int | str | Path | Sequence[int],
    options: RetrievalOptions,
    val: tuple[str | Path | EmbeddingStore, str | Path] | None,
) -> RetrievalOptions:
    """Return the options with the temperature and bound of budget='auto'.

    Args:
        budget: The user's budget.
        options: The user's options.
        val: Store and list of val images; None without.

    Raises:
        ValueError: If precision is to be bounded, and probabilities are not
            calibrated on val.
    """
    if not (isinstance(budget, str) and budget == AUTO):
        if options.min_precision and options.temperature != 'auto':
            raise ValueError(
                f'min_precision={options.min_precision} needs probabilities '
                f"that are calibrated: temperature='auto' and val "
                f'(--temperature auto --val STORE LIST)'
            )
        return options
    if val is None:
        raise ValueError(
            "budget='auto' takes images while their expected precision is "
            'high, which is estimated with val images; give their store and '
            'list (--val STORE LIST)'
        )
    if options.temperature not in (None, 'auto'):
        raise ValueError(
            f"budget='auto' needs a temperature that is fitted to val, got "
            f'{options.temperature}; leave it out'
        )
    bound = options.min_precision
    return replace(
        options,
        temperature='auto',
        min_precision=MIN_PRECISION if bound is None else bound,
    )

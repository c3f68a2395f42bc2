"""Verdict on retrieved images: what they changed, and what to do next."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from ltvl_mm.evaluation.retrieval_warnings import MIN_PRECISION
from ltvl_mm.structures.class_counts import GROUPS
from ltvl_mm.structures.dilution import advise_threshold

# Difference in percent points, and both ends of its interval.
Change = tuple[float, float, float]


@dataclass(frozen=True)
class Comparison:
    """A method that was trained on retrieved images, and the baseline.

    Attributes:
        method: Name of the method that was trained on retrieved images.
        baseline: Name of the method that it is compared with.
        accuracy: Accuracy of the method on all test images in percent, mean
            over seeds.
        changes: ``'many'``, ``'medium'``, ``'few'`` and ``'all'`` ->
            difference to the baseline in percent points, with the ends of its
            95 % interval. Groups without classes are absent.
        retrieved: Number of retrieved images; None if unknown.
        seeds: Number of seeds that both were trained with.
        precision: Share of retrieved images that show their class, in
            percent; None if unknown.
        warnings: Warnings on the retrieval, each with a ``reason`` and a list
            of ``remedies``, most important first.
        losing_classes: Names of classes that lose most, most important first.
        smaller_budget: Budget with fewer images for frequent classes, of
            :func:`reduce_budget`; None if the present one is unknown.
    """

    method: str
    baseline: str
    accuracy: float
    changes: Mapping[str, Change]
    retrieved: int | None = None
    seeds: int = 1
    precision: float | None = None
    warnings: Sequence[Mapping] = ()
    losing_classes: Sequence[str] = ()
    smaller_budget: str | None = None


@dataclass(frozen=True)
class Verdict:
    """Three sentences on a comparison.

    Attributes:
        kind: ``'helps'``, ``'hurts'`` or ``'unclear'``, by the interval of
            the accuracy on all test images.
        overall: Change by retrieved images on all test images.
        groups: Changes for many-, medium- and few-shot classes.
        next_step: Advice for the next step.
    """

    kind: str
    overall: str
    groups: str
    next_step: str

    @property
    def sentences(self) -> tuple[str, str, str]:
        """The three sentences, in the order to read them."""
        return self.overall, self.groups, self.next_step


def judge_retrieval(found: Comparison) -> Verdict:
    """Return the verdict on a comparison.

    Raises:
        ValueError: If there is no change for ``'all'``.
    """
    if 'all' not in found.changes:
        raise ValueError(
            f'a verdict needs the change on all test images, got changes of '
            f'{list(found.changes)}; test both methods with --predictions'
        )
    kind = {1: 'helps', -1: 'hurts', 0: 'unclear'}[
        find_direction(found.changes['all'])
    ]
    return Verdict(
        kind,
        _describe_overall(found, kind),
        _describe_groups(found),
        _suggest_next_step(found, kind),
    )


def reduce_budget(wanted: np.ndarray, train_counts: np.ndarray) -> str:
    """Return the budget to try when frequent classes lose.

    One number for all classes becomes ``'balance_to:'`` that number, which
    spares frequent classes; ``'balance_to:N'`` becomes its half.

    Args:
        wanted: (K,) images that were asked for.
        train_counts: (K,) training images.
    """
    wanted, train_counts = np.asarray(wanted), np.asarray(train_counts)
    goals = (wanted + train_counts)[wanted > 0]
    if len(goals) == 0 or (wanted == wanted[0]).all():
        return f'balance_to:{wanted.max(initial=0)}'
    return f'balance_to:{int(np.median(goals)) // 2}'


def find_direction(change: Change) -> int:
    """Return 1 or -1 for an interval above or below 0, else 0."""
    _, low, high = change
    return int(low > 0) - int(high < 0)


def describe_change(change: Change) -> str:
    """Return a change in words, e.g. ``'+8.7 points (+6.1 to +11.2)'``."""
    mean, low, high = change
    return f'{mean:+.1f} points ({low:+.1f} to {high:+.1f})'


def _describe_overall(found: Comparison, kind: str) -> str:
    mean, low, high = found.changes['all']
    what = 'retrieved images'
    if found.retrieved is not None:
        what = f'{found.retrieved:,} retrieved images'
    begin = {
        'helps': f'{what} help',
        'hurts': f'{what} hurt',
        'unclear': f'It is not clear that {what} change anything',
    }[kind]
    direction = 'more' if mean >= 0 else 'less'
    return (
        f'{begin[0].upper()}{begin[1:]}: {found.method} classifies '
        f'{found.accuracy:.1f} % of the test images correctly, '
        f'{abs(mean):.1f} points {direction} than {found.baseline} (95 % '
        f'interval {low:+.1f} to {high:+.1f}).'
    )


def _describe_groups(found: Comparison) -> str:
    parts = []
    for group in reversed(GROUPS):  # few-shot classes are what it is for
        change = found.changes.get(group)
        if change is None:
            continue
        verb = {1: 'gain', -1: 'lose', 0: 'change unclearly'}[
            find_direction(change)
        ]
        parts.append(f'{group}-shot classes {verb}, {describe_change(change)}')
    if not parts:
        return (
            'No groups of classes: the training images per class are unknown '
            '(--class-counts).'
        )
    text = '; '.join(parts)
    return f'{text[0].upper()}{text[1:]}.'


def _suggest_next_step(found: Comparison, kind: str) -> str:
    if (step := _suggest_better_retrieval(found, kind)) is not None:
        return step
    losing = [
        f'{group}-shot'
        for group in GROUPS
        if group in found.changes and find_direction(found.changes[group]) < 0
    ]
    if kind == 'hurts':
        return (
            f'Next: look at the retrieved images of the classes that lose '
            f'most{_list_names(found)}; rename these classes, take fewer '
            f'images per class (--budget), or leave out uncertain images '
            f'({advise_threshold(None)}).'
        )
    if losing:
        budget = found.smaller_budget or 'balance_to:N with a smaller N'
        return (
            f'Next: {" and ".join(losing)} classes lose, so retrieve more '
            f'images and leave out uncertain ones (--budget balance_to:300 '
            f'{advise_threshold(None)}); if they are left out already, take '
            f'fewer (--budget {budget}), or mix both models with weights '
            f'from val (tools/analysis_tools/tune_ensemble.py).'
        )
    if kind == 'unclear':
        return (
            f'Next: {_count_seeds(found)}train more seeds and test on more '
            f'images, because the interval is wider than the change; more '
            f'retrieved images (--budget) may make the change larger.'
        )
    return (
        f'Next: use {found.method}; {_count_seeds(found)}more seeds show how '
        f'much depends on the seed, and more retrieved images (--budget) may '
        f'help further.'
    )


def _suggest_better_retrieval(found: Comparison, kind: str) -> str | None:
    """Return what improves the retrieval; None if nothing is known to."""
    begin = 'Next: improve the retrieval before training again'
    if kind == 'helps':
        begin = f'Next: use {found.method}, and improve the retrieval'
    if found.warnings:
        first = found.warnings[0]
        remedies = ' '.join(first['remedies'][:1])
        reason = str(first['reason']).rstrip('.')
        return f'{begin}, because {reason}. {remedies}'.rstrip()
    if found.precision is not None and found.precision < MIN_PRECISION:
        return (
            f'{begin}, because {found.precision:.0f} % of the retrieved '
            f'images show their class: take fewer images per class '
            f'(--budget), or leave out uncertain ones '
            f'({advise_threshold(None)}).'
        )
    return None


def _list_names(found: Comparison) -> str:
    names = ', '.join(found.losing_classes[:3])
    return f' ({names})' if names else ''


def _count_seeds(found: Comparison) -> str:
    return 'one seed was trained; ' if found.seeds == 1 else ''

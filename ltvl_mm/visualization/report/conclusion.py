"""Verdict of the page: what retrieval changed, and what to do next."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from ltvl_mm.evaluation.verdict import (
    Change,
    Comparison,
    Verdict,
    describe_change,
    judge_retrieval,
    reduce_budget,
)
from ltvl_mm.structures.class_counts import GROUPS
from ltvl_mm.visualization.report.quality import Quality
from ltvl_mm.visualization.report.run_scores import (
    count_retrieved,
    score_classes,
    score_run,
)
from ltvl_mm.visualization.report.study import Study

_LOSING = 3


@dataclass(frozen=True)
class Conclusion:
    """Sentences at the top of the page.

    Attributes:
        kind: ``'helps'``, ``'hurts'``, ``'unclear'`` or ``'unknown'``.
        sentences: To read first.
        others: A sentence for each further method with retrieved images.
    """

    kind: str
    sentences: Sequence[str]
    others: Sequence[str] = ()


def conclude(
    study: Study,
    changes: Mapping[str, Mapping[str, Change]],
    quality: Quality | None,
    *,
    wanted: np.ndarray | None = None,
) -> Conclusion:
    """Return what the page says first.

    Args:
        study: The runs.
        changes: Result of :func:`compare_methods`.
        quality: Quality of the retrieval; None without one.
        wanted: (K,) images that were asked for; None if that is unknown.
    """
    accuracies = _list_accuracies(study)
    if not accuracies:
        return Conclusion(
            'unknown', ['No run has been tested, so there is no verdict.']
        )
    best = max(accuracies, key=accuracies.__getitem__)
    leader = (
        f'The most accurate method of all is {best} with '
        f'{accuracies[best]:.1f} % of the test images.'
    )
    methods = [
        name
        for name in study.methods
        if name != study.baseline
        and any(run.retrieved is not None for run in study.list_runs(name))
    ]
    reason = _explain_no_verdict(study, methods, changes)
    if reason:
        return Conclusion('unknown', [*reason, leader])
    first, *others = [
        (name, judge_method(study, name, changes[name], quality, wanted))
        for name in methods
        if 'all' in changes.get(name, {})
    ]
    verdict = first[1]
    return Conclusion(
        verdict.kind,
        [*verdict.sentences, *([leader] if len(accuracies) > 2 else [])],
        [
            f'{name}: {describe_change(changes[name]["all"])}.'
            for name, _ in others
        ],
    )


def judge_method(
    study: Study,
    method: str,
    changes: Mapping[str, Change],
    quality: Quality | None,
    wanted: np.ndarray | None,
) -> Verdict:
    """Return the verdict on a method that was trained on retrieved images."""
    retrieved = count_retrieved(study, method)
    return judge_retrieval(
        Comparison(
            method=method,
            baseline=study.baseline,
            accuracy=_list_accuracies(study)[method],
            changes={
                name: changes[name]
                for name in (*GROUPS, 'all')
                if name in changes
            },
            retrieved=None if retrieved is None else int(retrieved.sum()),
            seeds=min(
                len(study.list_runs(name)) for name in (method, study.baseline)
            ),
            precision=quality.precision if quality else None,
            warnings=quality.warnings if quality else (),
            losing_classes=_list_losing_classes(study, method),
            smaller_budget=None
            if wanted is None or study.counts is None
            else reduce_budget(wanted, study.counts),
        )
    )


def _explain_no_verdict(
    study: Study,
    methods: Sequence[str],
    changes: Mapping[str, Mapping[str, Change]],
) -> list[str]:
    """Return why there is no verdict; [] if there is one."""
    if any(
        run.retrieved is not None for run in study.list_runs(study.baseline)
    ):
        return [
            f'No verdict: the baseline {study.baseline} was trained on '
            f'retrieved images itself.',
            'Next: name a method without them with --baseline.',
        ]
    if not methods:
        return [
            'No verdict: no other run was trained on retrieved images.',
            'Next: retrieve images with tools/retrieve.py, and train with '
            'them.',
        ]
    if not any('all' in changes.get(name, {}) for name in methods):
        return [
            f'No verdict: no method with retrieved images has predictions '
            f'over the same images, of the same seed, as {study.baseline}.',
            'Next: test both with --predictions; Missing has the command.',
        ]
    return []


def _list_accuracies(study: Study) -> dict[str, float]:
    """Return method -> accuracy on all test images, mean over seeds."""
    found = {}
    for method in study.methods:
        scores = [
            score_run(study, run).get('all') for run in study.list_runs(method)
        ]
        known = [score for score in scores if score is not None]
        if known:
            found[method] = float(np.mean(known))
    return found


def _list_losing_classes(study: Study, method: str) -> list[str]:
    before = score_classes(study, study.baseline)
    after = score_classes(study, method)
    if before is None or after is None:
        return []
    change = after.mean(0) - before.mean(0)
    order = np.argsort(change, kind='stable')[:_LOSING]
    return [study.class_names[label] for label in order if change[label] < 0]

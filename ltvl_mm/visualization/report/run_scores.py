"""Scores of the runs of a study, with intervals of their differences."""

from collections.abc import Sequence

import numpy as np

from ltvl_mm.evaluation.bootstrap import (
    MEASURES,
    find_interval,
    resample_accuracies,
)
from ltvl_mm.evaluation.functional import (
    compute_class_accuracies,
    summarize_accuracies,
)
from ltvl_mm.visualization.report.run_folder import PER_CLASS, RunFolder
from ltvl_mm.visualization.report.study import Study


def score_run(study: Study, run: RunFolder) -> dict[str, float]:
    """Return the accuracies of a run in percent, by MEASURES; {} if untested.

    From its predictions, and from what was written down of its test where
    these or its training list are gone.
    """
    written = {
        name: run.metrics[f'shot/{name}']
        for name in MEASURES
        if isinstance(run.metrics.get(f'shot/{name}'), (int, float))
    }
    if run.answers is None:
        return written
    answers = run.answers
    scores = summarize_accuracies(
        answers.pred, answers.labels, study.group_classes_of(run)
    )
    return written | scores if run.counts is None else scores


def score_classes(study: Study, method: str) -> np.ndarray | None:
    """Return the (S, K) accuracies of S seeds of a method by class.

    Of the runs that are shown by class. NaN for a class that was not tested;
    None if no run tells.
    """
    found = []
    for run in study.list_shown(method):
        each = run.metrics.get(PER_CLASS, ())
        if run.answers is not None:
            found.append(
                compute_class_accuracies(
                    run.answers.pred,
                    run.answers.labels,
                    len(study.class_names),
                )
            )
        elif len(each) == len(study.class_names) > 0:
            found.append(np.array(each, np.float64))
    return np.stack(found) if found else None


def count_retrieved(study: Study, method: str) -> np.ndarray | None:
    """Return the (K,) numbers of retrieved images, averaged over seeds.

    Only runs that are shown by class count. Returns None if the method has
    no retrieved images.
    """
    found = [
        run.retrieved
        for run in study.list_shown(method)
        if run.retrieved is not None
    ]
    return np.mean(found, 0).round().astype(int) if found else None


def compare_methods(
    study: Study, *, draws: int = 1000
) -> dict[str, dict[str, tuple[float, float, float]]]:
    """Return method -> measure -> (difference, low, high) to the baseline.

    The difference is in percentage points and averaged over the seeds that
    both methods have; (low, high) is its 95 % bootstrap interval over test
    images. Methods that were tested on other images or trained on another
    list, and methods without saved predictions, are absent.

    Args:
        study: Runs to compare; ``study.baseline`` names the baseline.
        draws: Number of bootstrap samples; default 1000.
    """
    pairs: dict[str, list[dict[str, tuple[float, np.ndarray]]]] = {}
    for base in study.list_runs(study.baseline):
        others = [run for run in study.runs if _is_paired(study, run, base)]
        if not others:
            continue
        runs = (base, *others)
        drawn = resample_accuracies(
            np.stack([run.get_answers().right for run in runs]),
            base.get_answers().labels,
            study.group_classes_of(base),
            draws=draws,
        )
        scores = [score_run(study, run) for run in runs]
        for place, run in enumerate(others, 1):
            pairs.setdefault(run.name, []).append(
                {
                    measure: (
                        scores[place][measure] - scores[0][measure],
                        values[place] - values[0],
                    )
                    for measure, values in drawn.items()
                }
            )
    return {name: _average(found) for name, found in pairs.items()}


def _average(
    found: Sequence[dict[str, tuple[float, np.ndarray]]],
) -> dict[str, tuple[float, float, float]]:
    """Return mean change and interval of the measures that all seeds have."""
    averages = {}
    for measure in found[0]:
        if all(measure in pair for pair in found):
            changes = [pair[measure][0] for pair in found]
            draws = [pair[measure][1] for pair in found]
            low, high = find_interval(np.mean(draws, 0))
            averages[measure] = float(np.mean(changes)), low, high
    return averages


def _is_paired(study: Study, run: RunFolder, base: RunFolder) -> bool:
    """Return whether two methods answered the same images in one seed."""
    groups = study.group_classes_of(run), study.group_classes_of(base)
    return (
        run.name != base.name
        and run.answers is not None
        and base.answers is not None
        and run.answers.images == base.answers.images
        and (run.seed == base.seed or None in (run.seed, base.seed))
        and np.array_equal(*groups)
    )

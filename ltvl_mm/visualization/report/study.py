"""The runs of a report: methods, their seeds, and what they have in common."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from ltvl_mm.evaluation.bootstrap import (
    MEASURES,
    find_interval,
    resample_accuracies,
)
from ltvl_mm.evaluation.functional import (
    compute_class_accuracies,
    summarise_accuracies,
)
from ltvl_mm.structures.class_counts import group_classes
from ltvl_mm.structures.run_folder import RunFolder
from ltvl_mm.visualization.report.plot import escape

COLUMNS = (*MEASURES, 'harmonic_mean')


@dataclass(frozen=True)
class Study:
    """Runs that are compared with each other.

    Attributes:
        runs: In the order of the page.
        baseline: Name of the method that others are compared with.
        counts: (K,) original training images; None if no run knows them.
        class_names: K names; numbers where nobody names the classes.
    """

    runs: tuple[RunFolder, ...]
    baseline: str
    counts: np.ndarray | None
    class_names: tuple[str, ...]

    @property
    def methods(self) -> list[str]:
        """Names, each once, in the order of the runs."""
        return list(dict.fromkeys(run.name for run in self.runs))

    @property
    def groups(self) -> np.ndarray:
        """(K,) names of groups; all of them ``'all'`` without counts."""
        if self.counts is None:
            return np.full(len(self.class_names), 'all')
        return group_classes(self.counts)

    @property
    def shown_names(self) -> list[str]:
        """K names for plotly, which takes some of HTML for markup."""
        return [escape(name) for name in self.class_names]

    def list_runs(self, method: str) -> list[RunFolder]:
        """Return the runs of a method, a run per seed."""
        return [run for run in self.runs if run.name == method]


def make_study(
    runs: Sequence[RunFolder],
    *,
    baseline: str | None = None,
    class_names: Sequence[str] | None = None,
) -> Study:
    """Return the study that some runs make.

    Args:
        runs: In the order of the page.
        baseline: A name among theirs; None takes the first that was tested.
        class_names: K names; None takes those that predictions carry.

    Raises:
        ValueError: If there is no run, no run has such a name, or the runs
            are of different classes.
    """
    if not runs:
        raise ValueError(
            'none of the folders holds a training or a test: test.npz, '
            'metrics.json or */vis_data/scalars.json'
        )
    names = list(dict.fromkeys(run.name for run in runs))
    if baseline is not None and baseline not in names:
        raise ValueError(f'baseline must be one of {names}, got {baseline!r}')
    tested = [run.name for run in runs if run.answers or run.metrics]
    counts = next((run.counts for run in runs if run.counts is not None), None)
    found = class_names or next(
        (
            run.answers.class_names
            for run in runs
            if run.answers and run.answers.class_names
        ),
        None,
    )
    sizes = {
        run.name: run.answers.num_classes for run in runs if run.answers
    } | ({} if counts is None else {'the training list': len(counts)})
    if found is not None:
        sizes['class names'] = len(found)
    if len(set(sizes.values())) > 1:
        raise ValueError(f'the runs are of different classes: {sizes}')
    number = next(iter(sizes.values()), 0)
    return Study(
        tuple(runs),
        baseline or (tested or names)[0],
        counts,
        tuple(found or (f'class {label}' for label in range(number))),
    )


def score_run(study: Study, run: RunFolder) -> dict[str, float]:
    """Return the accuracies of a run in percent, by COLUMNS; {} if untested.

    From its predictions, else from what was written down of its test.
    """
    if run.answers is not None:
        answers = run.answers
        return summarise_accuracies(answers.pred, answers.labels, study.groups)
    return {
        name: run.metrics[f'shot/{name}']
        for name in COLUMNS
        if isinstance(run.metrics.get(f'shot/{name}'), (int, float))
    }


def score_classes(study: Study, method: str) -> np.ndarray | None:
    """Return the (K,) accuracies of a method, the mean of its seeds.

    NaN for a class that was not tested; None if no run tells.
    """
    found = []
    for run in study.list_runs(method):
        each = run.metrics.get('shot/per_class')
        if run.answers is not None:
            found.append(
                compute_class_accuracies(
                    run.answers.pred,
                    run.answers.labels,
                    len(study.class_names),
                )
            )
        elif each is not None and len(each) == len(study.class_names):
            found.append(np.array(each, np.float64))
    return np.mean(found, 0) if found else None


def compare_methods(
    study: Study, *, draws: int = 1000
) -> dict[str, dict[str, tuple[float, float, float]]]:
    """Return method -> measure -> (difference, low, high) to the baseline.

    In percent points: the mean over the seeds that both have, and the middle
    95 % of it when test images are drawn anew. A method that was tested on
    other images, or without saved predictions, is absent.
    """
    pairs: dict[str, list[dict[str, tuple[float, np.ndarray]]]] = {}
    for base in study.list_runs(study.baseline):
        others = [run for run in study.runs if _is_paired(run, base)]
        if not others:
            continue
        runs = (base, *others)
        drawn = resample_accuracies(
            np.stack([run.answers.right for run in runs]),
            base.answers.labels,
            study.groups,
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
    return {
        name: {
            measure: (
                float(np.mean([pair[measure][0] for pair in found])),
                *find_interval(
                    np.mean([pair[measure][1] for pair in found], 0)
                ),
            )
            for measure in found[0]
        }
        for name, found in pairs.items()
    }


def _is_paired(run: RunFolder, base: RunFolder) -> bool:
    """Return whether two methods answered the same images in one seed."""
    return (
        run.name != base.name
        and run.answers is not None
        and base.answers is not None
        and run.answers.images == base.answers.images
        and (run.seed == base.seed or None in (run.seed, base.seed))
    )

"""The runs of a report: methods, their seeds, and what they have in common."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from ltvl_mm.structures.class_counts import group_classes
from ltvl_mm.visualization.report.plot import escape
from ltvl_mm.visualization.report.run_folder import PER_CLASS, RunFolder


@dataclass(frozen=True)
class Study:
    """Runs that are compared with each other.

    Seeds may have drawn their training lists anew. What is shown class by
    class is then of the runs that share a list with the first that was
    tested; means over groups are of each run's own.

    Attributes:
        runs: In the order of the page.
        baseline: Name of the method that others are compared with.
        counts: (K,) original training images that the classes are shown
            with; None if no run knows them.
        class_names: K names; numbers if no run names the classes.
        left_out: Runs that are not shown: label and folder -> part -> the
            reason.
    """

    runs: tuple[RunFolder, ...]
    baseline: str
    counts: np.ndarray | None
    class_names: tuple[str, ...]
    left_out: Mapping[str, Mapping[str, str]] = field(default_factory=dict)

    @property
    def methods(self) -> list[str]:
        """Names, each once, in the order of the runs."""
        return list(dict.fromkeys(run.name for run in self.runs))

    @property
    def groups(self) -> np.ndarray:
        """(K,) names of groups; all of them ``'all'`` without counts."""
        return self._group(self.counts)

    @property
    def shown_names(self) -> list[str]:
        """K names for plotly, which takes some of HTML for markup."""
        return [escape(name) for name in self.class_names]

    @property
    def lists_differ(self) -> bool:
        """True if two runs have different training lists."""
        return any(
            not np.array_equal(run.counts, self.counts)
            for run in self.runs
            if run.counts is not None
        )

    @property
    def caveat(self) -> str:
        """A sentence on the runs that are not shown by class; '' if all."""
        able = [run for run in self.runs if run.tells_classes]
        shown = [run for run in able if self.is_shown(run)]
        if len(shown) == len(able):
            return ''
        seeds = sorted({run.seed for run in shown if run.seed is not None})
        named = f'seed {", ".join(map(str, seeds))}' if seeds else 'a list'
        return (
            f' Of {named} alone: the other {len(able) - len(shown)} runs have '
            f'other training images per class, or provide no class counts.'
        )

    def group_classes_of(self, run: RunFolder) -> np.ndarray:
        """Return the (K,) names of groups by the run's own training list.

        Where it is gone, by that of the others if they agree, else
        ``'all'``.
        """
        if run.counts is None and self.lists_differ:
            return self._group(None)
        return self._group(self.counts if run.counts is None else run.counts)

    def is_shown(self, run: RunFolder) -> bool:
        """Return whether a run is shown class by class."""
        if run.counts is None:
            return not self.lists_differ
        return np.array_equal(run.counts, self.counts)

    def list_runs(self, method: str) -> list[RunFolder]:
        """Return the runs of a method, a run per seed."""
        return [run for run in self.runs if run.name == method]

    def list_shown(self, method: str) -> list[RunFolder]:
        """Return those of a method that are shown class by class."""
        return [run for run in self.list_runs(method) if self.is_shown(run)]

    def _group(self, counts: np.ndarray | None) -> np.ndarray:
        if counts is None:
            return np.full(len(self.class_names), 'all')
        return group_classes(counts)


def make_study(
    runs: Sequence[RunFolder],
    *,
    baseline: str | None = None,
    class_names: Sequence[str] | None = None,
) -> Study:
    """Return the study that some runs make.

    A run without predictions whose other parts are of another number of
    classes than the predictions of the other runs is left out.

    Args:
        runs: In the order of the page.
        baseline: A name among theirs; None takes the first that was tested.
        class_names: K names; None takes those that predictions carry.

    Raises:
        ValueError: If there is no run, none has such a name,
            two of a name have the same seed, or runs are of different
            classes.
    """
    if not runs:
        raise ValueError(
            'none of the folders holds a training or a test: test.npz, '
            'metrics.json or */vis_data/scalars.json'
        )
    names = list(dict.fromkeys(run.name for run in runs))
    if baseline is not None and baseline not in names:
        raise ValueError(f'baseline must be one of {names}, got {baseline!r}')
    _check_seeds(runs)
    runs, left_out = _leave_out(runs)
    names = list(dict.fromkeys(run.name for run in runs))
    if baseline is not None and baseline not in names:
        reasons = [parts['the run'] for parts in left_out.values()]
        raise ValueError(
            f'the baseline {baseline!r} cannot be shown: {"; ".join(reasons)}'
        )
    tested = [run for run in runs if run.answers or run.metrics]
    _check_names(tested)
    found = class_names or next(
        (
            run.answers.class_names
            for run in tested
            if run.answers and run.answers.class_names
        ),
        None,
    )
    sizes = {} if found is None else {'class names': len(found)}
    for run in runs:
        if run.answers:
            sizes[f'answers of {run.label}'] = run.answers.num_classes
        if run.counts is not None:
            sizes[f'training list of {run.label}'] = len(run.counts)
        if run.retrieved is not None:
            sizes[f'manifest of {run.label}'] = len(run.retrieved)
        if PER_CLASS in run.metrics:
            sizes[f'accuracies of {run.label}'] = len(run.metrics[PER_CLASS])
    if len(set(sizes.values())) > 1:
        raise ValueError(f'the runs are of different classes: {sizes}')
    number = next(iter(sizes.values()), 0)
    known = [run.counts for run in (*tested, *runs) if run.counts is not None]
    return Study(
        tuple(runs),
        baseline or (tested[0].name if tested else names[0]),
        known[0] if known else None,
        tuple(found or (f'class {label}' for label in range(number))),
        left_out,
    )


def _leave_out(
    runs: Sequence[RunFolder],
) -> tuple[list[RunFolder], dict[str, dict[str, str]]]:
    """Return the runs that can be compared, and the reasons for the others.

    Lists and manifests are found by the config, which may be damaged or
    foreign; predictions are what is compared. Where predictions differ
    among themselves, or there are none, the caller refuses all runs.
    """
    answered = [run for run in runs if run.answers is not None]
    numbers = {run.num_classes for run in answered}
    if len(numbers) != 1:
        return list(runs), {}
    (expected,) = numbers
    shown, left_out = [], {}
    for run in runs:
        if run.num_classes in (None, expected):
            shown.append(run)
            continue
        reason = (
            f'it has no predictions, and its training list, '
            f'manifest or metrics are of {run.num_classes} classes, but the '
            f'predictions of {answered[0].label} of {expected}'
        )
        left_out[f'{run.label} ({run.path})'] = {
            'the run': reason,
            **run.missing,
        }
    return shown, left_out


def _check_seeds(runs: Sequence[RunFolder]) -> None:
    """Refuse two runs that would count as two seeds, and are not."""
    seen: dict[tuple[str, int], RunFolder] = {}
    for run in runs:
        if run.seed is None:
            continue
        other = seen.setdefault((run.name, run.seed), run)
        if other is not run:
            raise ValueError(
                f'{other.path} and {run.path} are both {run.label}; tell them '
                f'apart with NAME=FOLDER, or have seeds in folders seed<N>'
            )


def _check_names(tested: Sequence[RunFolder]) -> None:
    """Refuse runs over other images, whose classes have other names."""
    named = [run for run in tested if run.answers and run.answers.class_names]
    for run in named[1:]:
        first, other = named[0].get_answers(), run.get_answers()
        if (
            first.images != other.images
            and first.class_names != other.class_names
        ):
            raise ValueError(
                f'{named[0].label} and {run.label} are of different classes: '
                + _find_difference(
                    first.class_names or (), other.class_names or ()
                )
            )


def _find_difference(first: Sequence[str], other: Sequence[str]) -> str:
    for label, (one, two) in enumerate(zip(first, other, strict=False)):
        if one != two:
            return f'class {label} is {one!r} and {two!r}'
    return f'{len(first)} and {len(other)} names'

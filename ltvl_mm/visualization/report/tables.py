"""Tables of the page: results by method, and accuracies by class."""

from collections.abc import Mapping, Sequence

import numpy as np

from ltvl_mm.evaluation.accuracy_table import format_mean
from ltvl_mm.evaluation.bootstrap import MEASURES
from ltvl_mm.evaluation.verdict import Change
from ltvl_mm.structures.class_counts import GROUPS
from ltvl_mm.visualization.report.retrieved_images import Retrieval
from ltvl_mm.visualization.report.run_scores import score_classes, score_run
from ltvl_mm.visualization.report.study import Study


def make_rows(
    study: Study, changes: Mapping[str, Mapping[str, Change]]
) -> list[dict]:
    """Return a row of the table of results per method that was tested.

    Args:
        study: The runs.
        changes: Result of :func:`compare_methods`.
    """
    rows = []
    for method in study.methods:
        scores = [
            found
            for run in study.list_runs(method)
            if (found := score_run(study, run))
        ]
        if not scores:
            continue
        rows.append(
            {
                'method': method,
                'seeds': len(scores),
                'values': {
                    name: [s[name] for s in scores if name in s]
                    for name in MEASURES
                },
                'cells': {
                    name: format_mean([s[name] for s in scores if name in s])
                    for name in MEASURES
                },
                'differences': {
                    name: f'{mean:+.1f} [{low:+.1f}, {high:+.1f}]'
                    for name, (mean, low, high) in changes.get(
                        method, {}
                    ).items()
                },
            }
        )
    return rows


def choose_columns(rows: Sequence[dict]) -> list[str]:
    """Return the measures to show.

    The harmonic mean is left out where it is 0 for all methods, which happens
    as soon as no image of a class is predicted correctly.
    """
    return [
        name
        for name in MEASURES
        if name != 'harmonic_mean' or any(any(r['values'][name]) for r in rows)
    ]


def make_class_table(study: Study, retrieval: Retrieval | None) -> dict:
    """Return the table behind the charts: a row per class.

    Returns:
        ``columns``: names of columns after the first, ``methods``: how many
        of the last ones are accuracies, and ``rows``: name and cells, which
        are text and the number to sort by.
    """
    accuracies = {
        method: values.mean(0)
        for method in study.methods
        if (values := score_classes(study, method)) is not None
    }
    columns = ['group', 'training images', 'retrieved']
    retrieved = None if retrieval is None else retrieval.counts
    rows = []
    for label, name in enumerate(study.class_names):
        group = str(study.groups[label])
        rank = GROUPS.index(group) if group in GROUPS else len(GROUPS)
        cells = [
            (group, rank),
            _count_cell(study.counts, label),
            _count_cell(retrieved, label),
            *(_accuracy_cell(values[label]) for values in accuracies.values()),
        ]
        rows.append((name, cells))
    return {
        'columns': [*columns, *accuracies],
        'methods': len(accuracies),
        'rows': rows,
    }


def _count_cell(counts: np.ndarray | None, label: int) -> tuple[str, float]:
    if counts is None:
        return '', -1
    return f'{counts[label]}', int(counts[label])


def _accuracy_cell(value: float) -> tuple[str, float]:
    if np.isnan(value):
        return '–', -1
    return f'{value:.1f}', round(float(value), 1)

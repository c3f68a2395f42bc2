"""Tables and the verdict of a run, from what its stages wrote."""

from pathlib import Path

import numpy as np

from ltvl_mm.apis.quality_text import describe_quality, describe_warnings
from ltvl_mm.apis.retrieval_check import FILE
from ltvl_mm.evaluation.accuracy_table import format_accuracies
from ltvl_mm.evaluation.bootstrap import find_interval, resample_accuracies
from ltvl_mm.evaluation.functional import (
    compute_class_accuracies,
    summarize_accuracies,
)
from ltvl_mm.evaluation.retrieval_warnings import QualityNumbers, find_warnings
from ltvl_mm.evaluation.verdict import (
    Comparison,
    judge_retrieval,
    reduce_budget,
)
from ltvl_mm.structures.class_counts import GROUPS, group_classes
from ltvl_mm.structures.manifest_file import load_manifest
from ltvl_mm.structures.predictions import (
    Predictions,
    check_same_images,
    load_predictions,
)
from ltvl_mm.utils.io import read_json


def describe_zero_shot(
    file: Path, counts: np.ndarray, names: tuple[str, ...]
) -> str:
    """Return CLIP's accuracy on val by group, and a warning if it is low.

    Args:
        file: Predictions of val images.
        counts: (K,) training images per class.
        names: K class names.
    """
    found = load_predictions(file)
    groups, pred = group_classes(counts), found.probabilities.argmax(1)
    scores = summarize_accuracies(pred, found.labels, groups)
    each = compute_class_accuracies(pred, found.labels, len(counts))
    few = scores.get('few')
    warnings = find_warnings(
        QualityNumbers(
            num_classes=len(counts),
            zero_shot=scores['all'] if few is None else few,
            zero_shot_group='all' if few is None else 'few-shot',
            unknown_names=[names[k] for k in np.flatnonzero(each == 0)],
        )
    )
    table = format_accuracies([{'method': 'CLIP on val', **scores}])
    lines = [table]
    if warnings:
        lines += describe_warnings([one.to_json() for one in warnings])
    return '\n'.join(lines)


def describe_retrieval(folder: Path) -> str:
    """Return the table and warnings of a checked retrieval."""
    return describe_quality(read_json(folder / FILE))


def describe_scores(runs: list[tuple[Path, str]], counts: np.ndarray) -> str:
    """Return the accuracies of runs on test as a table.

    Args:
        runs: (folder, title) of runs with ``test.npz`` or
            ``metrics.json``; others are left out.
        counts: (K,) training images per class.
    """
    groups, rows = group_classes(counts), []
    for folder, title in runs:
        file, metrics = folder / 'test.npz', folder / 'metrics.json'
        if file.is_file():
            found = load_predictions(file)
            pred = found.probabilities.argmax(1)
            rows.append(
                {'method': title}
                | summarize_accuracies(pred, found.labels, groups)
            )
        elif metrics.is_file():  # of the ensemble
            shots = {
                name.removeprefix('shot/'): value
                for name, value in read_json(metrics).items()
            }
            rows.append({'method': title, **shots})
    return format_accuracies(rows)


def judge_runs(
    student: Path,
    tackle: Path,
    retrieved: Path,
    counts: np.ndarray,
    titles: tuple[str, str],
) -> tuple[str, str, str]:
    """Return three sentences on what retrieved images changed.

    Args:
        student: Folder of the training without retrieved images.
        tackle: Folder of the training with them.
        retrieved: Folder of the checked retrieval.
        counts: (K,) training images per class.
        titles: Names of both trainings.
    """
    files = [folder / 'test.npz' for folder in (student, tackle)]
    both = [load_predictions(file) for file in files]
    check_same_images(both, [str(file) for file in files])
    groups = group_classes(counts)
    quality = read_json(retrieved / FILE)
    right = np.stack(
        [one.probabilities.argmax(1) == one.labels for one in both]
    )
    return judge_retrieval(
        Comparison(
            method=titles[1],
            baseline=titles[0],
            accuracy=float(100 * right[1].mean()),
            changes=_compare(both, right, groups),
            retrieved=len(load_manifest(retrieved / 'manifest.parquet')),
            precision=quality['precision']['all'],
            warnings=quality['warnings'],
            losing_classes=_list_losing(both, len(counts), quality),
            smaller_budget=reduce_budget(_read_wanted(retrieved), counts),
        )
    ).sentences


def _read_wanted(retrieved: Path) -> list[int]:
    """Return the images that were asked for of each class."""
    classes = read_json(retrieved / 'report.json')['classes']
    return [entry['wanted'] for entry in classes]


def _compare(
    both: list[Predictions], right: np.ndarray, groups: np.ndarray
) -> dict[str, tuple[float, float, float]]:
    """Return group -> change in percent points, with its 95 % interval."""
    labels = both[0].labels
    drawn = resample_accuracies(right, labels, groups)
    scores = [
        summarize_accuracies(one.probabilities.argmax(1), labels, groups)
        for one in both
    ]
    return {
        name: (
            scores[1][name] - scores[0][name],
            *find_interval(drawn[name][1] - drawn[name][0]),
        )
        for name in (*GROUPS, 'all')
        if name in scores[0] and name in drawn
    }


def _list_losing(
    both: list[Predictions], classes: int, quality: dict
) -> list[str]:
    before, after = (
        compute_class_accuracies(
            one.probabilities.argmax(1), one.labels, classes
        )
        for one in both
    )
    change = np.nan_to_num(after - before)
    worst = [k for k in np.argsort(change, kind='stable') if change[k] < 0]
    return [quality['classes'][k]['name'] for k in worst]

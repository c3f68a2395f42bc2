"""Read the accuracies that a test wrote to ``metrics.json``."""

import math
import os
from dataclasses import replace
from pathlib import Path
from typing import Any

from ltvl_mm.utils.io import read_json
from ltvl_mm.visualization.report.part_reader import PartReader
from ltvl_mm.visualization.report.run_folder import (
    METRICS,
    PER_CLASS,
    RunFolder,
)


def read_metrics(path: Path, reader: PartReader, *, needed: bool) -> dict:
    """Return the accuracies of ``metrics.json`` that are percentages.

    Args:
        path: The run folder.
        reader: Gets the reasons for what cannot be read.
        needed: True to report a missing file.
    """
    if not needed and not os.path.lexists(path / METRICS):
        return {}
    metrics: dict = reader.read('metrics', lambda: _read_file(path), {})
    return _keep_percentages(metrics, reader)


def check_class_number(run: RunFolder) -> RunFolder:
    """Leave out accuracies by class that are of another number of classes."""
    each = run.metrics.get(PER_CLASS)
    if each is None or len(each) == run.num_classes:
        return run
    reader = PartReader(dict(run.missing))
    reader.add(
        'metrics',
        f'{METRICS}: {PER_CLASS} is of {len(each)} classes, but the run has '
        f'{run.num_classes}',
    )
    metrics = {k: v for k, v in run.metrics.items() if k != PER_CLASS}
    return replace(run, metrics=metrics, missing=reader.missing)


def _read_file(path: Path) -> dict:
    metrics = read_json(path / METRICS)
    if not isinstance(metrics, dict):
        raise ValueError(
            f'{path / METRICS} must hold an object with metrics by name, got '
            f'a {type(metrics).__name__}'
        )
    return metrics


def _keep_percentages(metrics: dict, reader: PartReader) -> dict:
    """Return the accuracies of ``metrics.json`` that are percentages."""
    kept = {}
    for name, value in metrics.items():
        if not name.startswith('shot/'):
            continue
        if name == PER_CLASS:
            good = isinstance(value, list) and all(
                each is None or _is_percentage(each) for each in value
            )
            expected = 'a list with a percentage or null per class'
        else:
            good, expected = _is_percentage(value), 'a percentage'
        if good:
            kept[name] = value
        else:
            reader.add(
                'metrics',
                f'{METRICS}: {name} must be {expected}, got {value!s:.80}',
            )
    return kept


def _is_percentage(value: Any) -> bool:  # noqa: ANN401
    return (
        type(value) in (int, float)
        and (isinstance(value, int) or math.isfinite(value))
        and 0 <= value <= 100
    )

"""Find and read what trainings and their tests left in folders.

``tools/train.py`` leaves config and ``vis_data/scalars.json``,
``tools/test.py`` predictions (``test.npz``) or ``metrics.json``,
``save_features.py`` features (``features_test.npz``). A part that is missing
or broken is named, and the rest is read. Run folders come from other people,
too: everything in them is read as data, and nothing is executed.
"""

import math
import os
import re
from collections.abc import Iterator
from functools import lru_cache
from pathlib import Path

import numpy as np

from ltvl_mm.structures.class_counts import load_class_counts
from ltvl_mm.structures.curves import read_curves
from ltvl_mm.structures.manifest import load_manifest
from ltvl_mm.structures.part_reader import PartReader
from ltvl_mm.structures.predictions import load_predictions
from ltvl_mm.structures.run_folder import PER_CLASS, Answers, RunFolder
from ltvl_mm.structures.run_values import (
    MAX_CLASSES,
    RunConfig,
    read_run_config,
    resolve,
)
from ltvl_mm.utils.io import hash_content, read_json

PREDICTIONS = 'test.npz'
METRICS = 'metrics.json'
FEATURES = 'features_test.npz'


def find_runs(folder: Path) -> Iterator[Path]:
    """Yield the folders of trainings or tests in a folder, or itself.

    Raises:
        ValueError: If the folder does not exist.
    """
    if not folder.is_dir():
        raise ValueError(f'the folder {folder} does not exist')
    seen = set()
    for place, inner, _ in os.walk(folder, followlinks=True):
        real = os.path.realpath(place)
        if real in seen:  # a link to what is above, or to what was there
            inner.clear()
            continue
        seen.add(real)
        if _is_run(Path(place)):
            inner.clear()  # what lies below belongs to it
            yield Path(place)
        inner.sort()


def read_run(
    path: Path,
    name: str,
    *,
    counts: str | Path | None = None,
    manifest: str | Path | None = None,
) -> RunFolder:
    """Read all that is there of a run.

    Args:
        path: Its folder.
        name: Of its method.
        counts: Training list; None takes the one that the config names.
        manifest: Taken in place of the one that the config names, if it
            names one.
    """
    reader = PartReader()
    commands = reader.read_commands(path, path / 'test')
    answers = reader.read('predictions', lambda: _read_answers(path), None)
    metrics = {}
    if answers is None or os.path.lexists(path / METRICS):
        metrics = reader.read('metrics', lambda: _read_metrics(path), {})
        metrics = _keep_percentages(metrics, reader)
    config = read_run_config(path, reader)
    class_counts = reader.read(
        'class counts',
        lambda: _read_counts(counts, config, answers, commands),
        None,
    )
    place = reader.read(
        'retrieved images',
        lambda: _find_manifest(manifest, config, commands),
        None,
    )
    retrieved = None
    if place is not None:
        retrieved = reader.read(
            'retrieved images',
            lambda: _count_retrieved(place, answers),
            None,
        )
    return RunFolder(
        name,
        path,
        seed=_find_seed(path, config),
        config=config.text,
        counts=class_counts,
        manifest=place,
        retrieved=retrieved,
        answers=answers,
        metrics=metrics,
        features=reader.read('features', lambda: _find_features(path), None),
        curves=reader.read('curves', lambda: _read_curves(path, reader), {}),
        commands=commands,
        missing=reader.missing,
    )


def _is_run(folder: Path) -> bool:
    # A broken link is a broken run, not none.
    return any(
        os.path.lexists(folder / name) for name in (PREDICTIONS, METRICS)
    ) or any(folder.glob('*/vis_data/scalars.json'))


def _find_seed(path: Path, config: RunConfig) -> int | None:
    """Return N of the innermost folder ``seed<N>``, else the config's."""
    seeds = [
        int(part.removeprefix('seed'))
        for part in path.resolve().parts
        if re.fullmatch(r'seed\d+', part)
    ]
    return seeds[-1] if seeds else config.seed


def _read_answers(path: Path) -> Answers:
    found = load_predictions(path / PREDICTIONS)
    if found.probabilities.shape[1] > MAX_CLASSES:
        raise ValueError(
            f'{path / PREDICTIONS} has {found.probabilities.shape[1]} '
            f'classes; the report shows at most {MAX_CLASSES}'
        )
    pred = found.probabilities.argmax(1)
    return Answers(
        pred,
        found.probabilities[np.arange(len(pred)), pred],
        found.labels,
        found.probabilities.shape[1],
        found.class_names,
        hash_content([found.paths, found.labels.tolist()]),
    )


def _read_metrics(path: Path) -> dict:
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


def _is_percentage(value: object) -> bool:
    return (
        type(value) in (int, float)
        and (isinstance(value, int) or math.isfinite(value))
        and 0 <= value <= 100
    )


def _find_features(path: Path) -> Path:
    if not (path / FEATURES).exists():
        raise ValueError(
            f'{path / FEATURES} does not exist; write it with '
            f'tools/analysis_tools/save_features.py'
        )
    return path / FEATURES


def _read_counts(
    given: str | Path | None,
    config: RunConfig,
    answers: Answers | None,
    commands: list[dict],
) -> np.ndarray:
    if given and answers:
        return load_class_counts(given, answers.num_classes)
    source, classes = config.find_counts()
    if given:
        source = given
    elif isinstance(source, str):
        source = resolve(source, config.list_places(commands))
    if answers and classes != answers.num_classes:
        raise ValueError(
            f'the config names {classes} classes, but {PREDICTIONS} has '
            f'{answers.num_classes}; give --class-counts'
        )
    return load_class_counts(source, classes)


def _find_manifest(
    given: str | Path | None, config: RunConfig, commands: list[dict]
) -> Path | None:
    """Return the manifest of a run that has one."""
    named = config.manifest
    if named is None:
        return None
    return Path(given or resolve(named, config.list_places(commands)))


def _count_retrieved(manifest: Path, answers: Answers | None) -> np.ndarray:
    changed = manifest.stat().st_mtime_ns if manifest.is_file() else 0
    counts = _count_rows(manifest, changed)
    if answers and len(counts) != answers.num_classes:
        raise ValueError(
            f'{manifest} is of {len(counts)} classes, but {PREDICTIONS} has '
            f'{answers.num_classes}'
        )
    return counts


@lru_cache(maxsize=8)
def _count_rows(manifest: Path, changed: int) -> np.ndarray:
    """Return (K,) rows per class; the runs of a study share a manifest.

    Args:
        manifest: The file.
        changed: Time of its last change, so that a new one is read again.
    """
    return load_manifest(manifest).count_classes()


def _read_curves(path: Path, reader: PartReader) -> dict[str, np.ndarray]:
    curves, reasons = read_curves(path)
    if reasons:
        reader.add('curves', '; '.join(reasons[:5]))
    return curves

"""Read what trainings and their tests left in a folder.

``tools/train.py`` leaves config and ``vis_data/scalars.json``,
``tools/test.py`` predictions (``test.npz``) or ``metrics.json``,
``save_features.py`` features (``features_test.npz``). A part that is missing
or broken is named, and the rest is read. Run folders come from other people,
too: everything in them is read as data, and nothing is executed.
"""

import os
import re
from functools import lru_cache
from pathlib import Path

import numpy as np

from ltvl_mm.structures.class_counts import load_class_counts
from ltvl_mm.structures.manifest_file import load_manifest
from ltvl_mm.structures.predictions import load_predictions
from ltvl_mm.utils.io import hash_content
from ltvl_mm.visualization.report.curves import read_curves
from ltvl_mm.visualization.report.part_reader import PartReader
from ltvl_mm.visualization.report.run_folder import (
    PREDICTIONS,
    Answers,
    RunFolder,
)
from ltvl_mm.visualization.report.run_metrics import (
    check_class_number,
    read_metrics,
)
from ltvl_mm.visualization.report.run_search import find_problem
from ltvl_mm.visualization.report.run_values import (
    MAX_CLASSES,
    RunConfig,
    read_run_config,
    resolve,
)

FEATURES = 'features_test.npz'


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
        name: Name of its method.
        counts: Training list; None takes the one that the config names.
        manifest: Taken in place of the one that the config names, if it
            names one.
    """
    if problem := find_problem(path):
        return RunFolder(name, path, missing={'all parts': problem})
    reader = PartReader()
    commands = reader.read_commands(path, path / 'test')
    answers = reader.read('predictions', lambda: _read_answers(path), None)
    metrics = read_metrics(path, reader, needed=answers is None)
    config = reader.read(
        'config', lambda: read_run_config(path, reader), RunConfig()
    )
    no_counts: tuple[np.ndarray | None, Path | None] = (None, None)
    class_counts, train_list = reader.read(
        'class counts',
        lambda: _read_counts(counts, config, answers, commands),
        no_counts,
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
            lambda: _count_retrieved(place, answers, class_counts),
            None,
        )
    found = RunFolder(
        name,
        path,
        seed=_find_seed(path, config),
        config=config.text,
        counts=class_counts,
        train_list=train_list,
        manifest=place,
        retrieved=retrieved,
        answers=answers,
        metrics=metrics,
        features=reader.read('features', lambda: _find_features(path), None),
        curves=reader.read('curves', lambda: _read_curves(path, reader), {}),
        commands=commands,
        missing=reader.missing,
    )
    return check_class_number(found)


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


def _find_features(path: Path) -> Path:
    if not os.path.exists(path / FEATURES):
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
) -> tuple[np.ndarray | None, Path | None]:
    """Return training images per class, and the list that they come from."""
    if given and answers:
        counts = load_class_counts(given, answers.num_classes)
        return counts, _find_list(given)
    source: str | Path | list
    source, classes = config.find_counts()
    if given:
        source = given
    elif isinstance(source, str):
        source = resolve(source, config.list_places(commands))
        if os.path.isdir(source):
            # Configs of strangers may name any folder of this computer.
            raise ValueError(
                f'the config counts the images of the folder {source}, which '
                f'is not walked for a page; if it is yours, give '
                f'--class-counts {source}'
            )
    if answers and classes != answers.num_classes:
        raise ValueError(
            f'the config names {classes} classes, but {PREDICTIONS} has '
            f'{answers.num_classes}; give --class-counts'
        )
    return load_class_counts(source, classes), _find_list(source)


def _find_list(source: str | Path | list) -> Path | None:
    """Return the file if it is a list of images, not one of counts."""
    if not isinstance(source, (str, Path)):
        return None
    if Path(source).suffix == '.json' or os.path.isdir(source):
        return None
    return Path(source)


def _find_manifest(
    given: str | Path | None, config: RunConfig, commands: list[dict]
) -> Path | None:
    """Return the manifest of a run that has one."""
    named = config.manifest
    if named is None:
        return None
    return Path(given or resolve(named, config.list_places(commands)))


def _count_retrieved(
    manifest: Path, answers: Answers | None, counts: np.ndarray | None
) -> np.ndarray:
    changed = manifest.stat().st_mtime_ns if manifest.is_file() else 0
    retrieved = _count_rows(manifest, changed)
    owner, expected = 'the training list', counts
    if answers:
        owner, expected = PREDICTIONS, range(answers.num_classes)
    if expected is not None and len(retrieved) != len(expected):
        raise ValueError(
            f'{manifest} is of {len(retrieved)} classes, but {owner} has '
            f'{len(expected)}'
        )
    return retrieved


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

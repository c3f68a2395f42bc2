"""Finds and reads what trainings and their tests left in folders.

``tools/train.py`` leaves config and ``vis_data/scalars.json``,
``tools/test.py`` predictions (``test.npz``) or ``metrics.json``,
``save_features.py`` features (``features_test.npz``). A part that is missing
or half-written is named, and the rest is read.
"""

import json
import os
import re
from collections.abc import Callable, Iterator
from functools import lru_cache
from pathlib import Path
from types import NoneType

import numpy as np
from mmengine.config import Config

from ltvl_mm.structures.class_counts import (
    find_shot_accuracy,
    load_class_counts,
)
from ltvl_mm.structures.manifest import load_manifest
from ltvl_mm.structures.part_reader import PartReader
from ltvl_mm.structures.predictions import load_predictions
from ltvl_mm.structures.run_folder import PER_CLASS, Answers, RunFolder
from ltvl_mm.utils.io import hash_content, read_json
from ltvl_mm.utils.text import split_lines

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
    metrics = (
        {}
        if answers is not None and not (path / METRICS).exists()
        else reader.read('metrics', lambda: _read_metrics(path), {})
    )
    file = _find_config(path)
    cfg = reader.read('config', lambda: _read_config(file), None)
    places = _list_places(commands, file, cfg)
    parts = {
        'answers': answers,
        'metrics': metrics,
        'commands': commands,
        'counts': reader.read(
            'class counts',
            lambda: _read_counts(counts, cfg, answers, places),
            None,
        ),
        'features': reader.read(
            'features', lambda: _find_features(path), None
        ),
        'curves': reader.read(
            'curves', lambda: _read_curves(path, reader), {}
        ),
    }
    if cfg is not None:
        parts |= {
            'config': file.read_text(encoding='utf-8'),
            'seed': cfg.get('randomness', {}).get('seed'),
        }
        named = _find_manifest(cfg)
        if named is not None:
            place = Path(manifest or _resolve(named, places))
            parts |= {
                'manifest': place,
                'retrieved': reader.read(
                    'retrieved images',
                    lambda: _count_retrieved(place),
                    None,
                ),
            }
    seeds = [
        int(part.removeprefix('seed'))
        for part in path.resolve().parts
        if re.fullmatch(r'seed\d+', part)
    ]
    if seeds:
        parts['seed'] = seeds[-1]
    return RunFolder(name, path, **parts, missing=reader.missing)


def _is_run(folder: Path) -> bool:
    return any(
        (folder / name).exists() for name in (PREDICTIONS, METRICS)
    ) or any(folder.glob('*/vis_data/scalars.json'))


def _read_answers(path: Path) -> Answers:
    found = load_predictions(path / PREDICTIONS)
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
        raise ValueError(f'{path / METRICS} holds no metrics by name')
    each = metrics.get(PER_CLASS, [])
    if not isinstance(each, list) or not all(
        isinstance(value, (int, float, NoneType)) for value in each
    ):
        raise ValueError(
            f'{path / METRICS}: {PER_CLASS} must be a number or null per '
            f'class, got {each!s:.80}'
        )
    return metrics


def _find_features(path: Path) -> Path:
    if not (path / FEATURES).exists():
        raise ValueError(
            f'{path / FEATURES} does not exist; write it with '
            f'tools/analysis_tools/save_features.py'
        )
    return path / FEATURES


def _find_config(path: Path) -> Path | None:
    """Return the config that the host wrote into the folder, if any."""
    files = [*sorted(path.glob('*.py')), *sorted(path.glob('test/*.py'))]
    return files[0] if files else None


def _read_config(file: Path | None) -> Config:
    if file is None:
        raise ValueError('the folder holds no config')
    try:
        return Config.fromfile(file)
    # What a config raises that was cut off is up to its place.
    except Exception as error:  # noqa: BLE001
        raise ValueError(f'{file} is no config: {error}') from None


def _read_counts(
    given: str | Path | None,
    cfg: Config | None,
    answers: Answers | None,
    places: list[Callable[[str | Path], Path]],
) -> np.ndarray:
    if given and answers:
        return load_class_counts(given, answers.num_classes)
    try:
        metric = find_shot_accuracy((cfg or {}).get('test_evaluator'))
    except ValueError:
        raise ValueError(
            'no config says where the training list is (ShotAccuracy); give '
            '--class-counts'
        ) from None
    source = given or metric.class_counts
    if isinstance(source, (str, Path)) and not given:
        source = _resolve(source, places)
    return load_class_counts(source, metric.num_classes)


def _list_places(
    commands: list[dict], file: Path | None, cfg: Config | None
) -> list[Callable[[str | Path], Path]]:
    """Return where a file may lie that a config names, the likeliest first.

    Where it says; below the folders that commands were typed in; beside the
    run as it was beside it before both were moved.
    """
    places: list[Callable[[str | Path], Path]] = [Path]
    places += [Path(entry['folder']).joinpath for entry in commands]
    work_dir = None if cfg is None else cfg.get('work_dir')
    if file is not None and work_dir is not None:
        places.append(
            lambda name: file.parent / os.path.relpath(name, work_dir)
        )
    return places


def _resolve(
    file: str | Path, places: list[Callable[[str | Path], Path]]
) -> Path:
    """Return the first place where a file is; else where it should be."""
    return next(
        (place(file) for place in places if place(file).exists()), Path(file)
    )


def _count_retrieved(manifest: Path) -> np.ndarray:
    changed = manifest.stat().st_mtime_ns if manifest.is_file() else 0
    return _count_rows(manifest, changed)


@lru_cache(maxsize=8)
def _count_rows(manifest: Path, changed: int) -> np.ndarray:
    """Return (K,) rows per class; the runs of a study share a manifest.

    Args:
        manifest: The file.
        changed: When, so that a new one is read again.
    """
    return load_manifest(manifest).count_classes()


def _find_manifest(cfg: Config) -> str | None:
    dataset = (cfg.get('train_dataloader') or {}).get('dataset') or {}
    while 'manifest' not in dataset and 'dataset' in dataset:
        dataset = dataset['dataset']
    return dataset.get('manifest')


def _read_curves(path: Path, reader: PartReader) -> dict[str, np.ndarray]:
    """Return the scalars of all starts of a training; the last start wins."""
    files = sorted(path.glob('*/vis_data/scalars.json'))
    if not files:
        raise ValueError(f'{path}/*/vis_data/scalars.json does not exist')
    curves: dict[str, dict[float, float]] = {}
    broken = 0
    for file in files:
        for line in split_lines(file.read_text(encoding='utf-8')):
            try:
                entry = json.loads(line)
            except json.JSONDecodeError:  # cut off by a kill
                entry = None
            if not isinstance(entry, dict) or 'step' not in entry:
                broken += 1
                continue
            step = entry.pop('step')
            for name, value in entry.items():
                if isinstance(value, (int, float)):
                    curves.setdefault(name, {})[step] = value
    if broken:
        reader.missing['curves'] = f'{broken} broken lines in {files[-1]}'
    return {
        name: np.array(sorted(points.items()))
        for name, points in curves.items()
    }

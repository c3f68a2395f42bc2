"""What the stages of the toy benchmark found, as JSON and as a table."""

from collections import defaultdict
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from models import list_models
from toy_stages import COUNTS, MANIFEST, RETRIEVED, WEB_STORE, WORLD

from ltvl_mm.datasets.emoji_concepts import ATTRIBUTION
from ltvl_mm.evaluation.accuracy_table import (
    COLUMNS,
    format_accuracies,
    format_mean,
)
from ltvl_mm.structures.class_counts import (
    GROUPS,
    group_classes,
    load_class_counts,
)
from ltvl_mm.utils.io import atomic_write, read_json, write_json


def summarize(
    work: Path, seeds: Sequence[int], students: Sequence[str]
) -> str:
    """Write ``results.json`` and ``results.md``; return the latter's text.

    With the paths of the pictures.

    Args:
        work: Folder of the study.
        seeds: Seeds that were run.
        students: Keys of ``STUDENTS``.
    """
    rows = [row for seed in seeds for row in _read_rows(work, seed, students)]
    quality = [_measure_retrieval(work / f'seed{seed}') for seed in seeds]
    write_json(work / 'results.json', {'rows': rows, 'retrieval': quality})
    text = '\n\n'.join([format_accuracies(rows), _format_quality(quality)])
    with atomic_write(work / 'results.md', 'w') as file:
        file.write(f'{text}\n')
    pictures = [
        str(path)
        for seed in seeds
        for path in sorted((work / f'seed{seed}').glob('*.png'))
    ]
    return '\n'.join(
        [
            text,
            '',
            f'Table: {work / "results.json"} and results.md',
            f'Pictures ({ATTRIBUTION}):',
            *(f'  {path}' for path in pictures),
            f'Report: {work / "report.html"}',
        ]
    )


def _read_rows(work: Path, seed: int, students: Sequence[str]) -> list[dict]:
    """Return a row per model, in percent."""
    rows = []
    for model in list_models(students):
        folder = work / f'seed{seed}' / model.folder
        metrics = read_json(folder / 'metrics.json')
        rows.append(
            {
                'method': model.method,
                'student': model.student,
                'retrieval': model.retrieval,
                'seed': seed,
                **{name: metrics[f'shot/{name}'] for name in COLUMNS},
            }
        )
    return rows


def _measure_retrieval(work: Path) -> dict[str, float | int]:
    """Hold the manifest and the filters against what the world knows.

    Recall of a filter: planted images that were candidates and dropped, of
    those that were candidates. False positives: dropped images that were not
    planted.
    """
    from ltvl_mm.datasets.web_tars import read_web_truth
    from ltvl_mm.structures.manifest_file import load_manifest

    truth = read_web_truth(work / WORLD)
    manifest = load_manifest(work / MANIFEST)
    report = read_json(work / RETRIEVED / 'report.json')
    groups = group_classes(
        load_class_counts(work / COUNTS, len(manifest.class_names))
    )
    right = np.array(
        [
            truth[key]['class_name'] == manifest.class_names[label]
            for key, label in zip(manifest.key, manifest.class_id, strict=True)
        ]
    )
    found: dict[str, float | int] = {'retrieved': len(manifest)}
    for group in GROUPS:
        inside = groups[manifest.class_id] == group
        if inside.any():
            found[f'precision_{group}'] = 100 * float(right[inside].mean())
    found['precision_all'] = 100 * float(right.mean())
    bad = {
        entry['key']
        for entry in read_json(work / WEB_STORE / 'bad_images.json')
    }
    planted = {k for k, r in truth.items() if r['plant'] == 'undecodable'}
    found['undecodable_planted'] = len(planted)
    found['undecodable_listed'] = len(bad & planted)
    found['undecodable_false'] = len(bad - planted)
    dropped = {
        reason: {
            entry['key']
            for entry in report['rejected']
            if entry['reason'] == reason
        }
        for reason in ('excluded', 'duplicate')
    }
    copies = {k for k, r in truth.items() if r['plant'] == 'test_copy'}
    found['test_copies_dropped'] = len(dropped['excluded'] & copies)
    found['test_copies_retrieved'] = len(copies & set(manifest.key))
    found['test_copies_false'] = len(dropped['excluded'] - copies)
    twins = _name_twins(truth)
    found['duplicates_dropped'] = len(dropped['duplicate'] & set(twins))
    found['duplicates_retrieved'] = _count_repeats(manifest, twins)
    found['duplicates_false'] = len(dropped['duplicate'] - set(twins))
    return found


def _name_twins(truth: dict[str, dict[str, str]]) -> dict[str, str]:
    """Return key -> key of the original, for duplicates and originals, and
    for copies of the same test image (which are copies of each other).
    """
    twins = {}
    tests = defaultdict(list)
    for key, row in truth.items():
        if row['plant'] == 'duplicate':
            twins[key] = twins[row['source']] = row['source']
        elif row['plant'] == 'test_copy':
            tests[row['source']].append(key)
    for keys in tests.values():
        if len(keys) > 1:
            twins |= dict.fromkeys(keys, keys[0])
    return twins


def _count_repeats(manifest: object, twins: dict[str, str]) -> int:
    """Count retrieved images whose twin was retrieved for the same class."""
    seen, repeats = set(), 0
    for key, label in zip(manifest.key, manifest.class_id, strict=True):
        pair = (twins.get(key, key), label)
        repeats += pair in seen
        seen.add(pair)
    return repeats


def _format_quality(quality: list[dict]) -> str:
    names = dict.fromkeys(name for found in quality for name in found)
    lines = ['| retrieval | |', '| :-- | --: |']
    for name in names:
        values = [found[name] for found in quality if name in found]
        lines.append(f'| {name.replace("_", " ")} | {format_mean(values)} |')
    return '\n'.join(lines)

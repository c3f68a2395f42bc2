"""Quality of a retrieval: warnings, and a table by group."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from ltvl_mm.evaluation.retrieval_quality import RANKS
from ltvl_mm.evaluation.retrieval_warnings import (
    MAX_UNCERTAIN_CLASSES,
    MIN_BEST,
    MIN_PRECISION,
)
from ltvl_mm.structures.class_counts import GROUPS
from ltvl_mm.structures.dilution import advise_threshold
from ltvl_mm.structures.manifest import Manifest
from ltvl_mm.utils.io import read_json

FILE = 'quality.json'


@dataclass(frozen=True)
class Quality:
    """Quality of a retrieval, known before training.

    Attributes:
        warnings: Warnings, each with ``reason`` and ``remedies``; empty if
            nothing is wrong.
        columns: Names of the columns of the table.
        rows: Group -> cells of its row.
        precision: Share of retrieved images that show their class, in
            percent; None if unknown.
        is_estimated: True if the precision is estimated from val images.
        bias: Clause on how far such estimates were from the truth; '' if
            unknown.
    """

    warnings: list[dict]
    columns: list[str]
    rows: dict[str, list[str]]
    precision: float | None
    is_estimated: bool
    bias: str = ''


def read_quality(folder: Path) -> dict:
    """Return the content of ``quality.json`` with checked types.

    Raises:
        ValueError: If the file is missing or a value has another type.
    """
    file = folder / FILE
    if not file.exists():
        raise ValueError(
            f'{file} does not exist; write it with '
            f'tools/analysis_tools/check_retrieval.py'
        )
    content = read_json(file)
    if not isinstance(content, dict):
        raise ValueError(f'{file}: expected an object, got {content!r:.80}')
    _check_warnings(content, file)
    zero_shot = _get_object(content, 'zero_shot', file)
    for value in zero_shot.values():
        _check_number(value, f'{file}, zero_shot')
    for value in _get_object(content, 'precision', file).values():
        if value is not None:
            _check_number(value, f'{file}, precision')
    return content


def _get_object(content: dict, name: str, file: Path) -> dict:
    found = content.get(name)
    if not isinstance(found, dict):
        raise ValueError(
            f'{file}: {name} must be an object, got {found!r:.80}'
        )
    return found


def _check_warnings(content: dict, file: Path) -> None:
    warnings = content.get('warnings')
    if not isinstance(warnings, list) or not all(
        isinstance(one, dict)
        and isinstance(one.get('reason'), str)
        and isinstance(one.get('remedies'), list)
        and all(isinstance(text, str) for text in one['remedies'])
        for one in warnings
    ):
        raise ValueError(
            f'{file}: warnings must be a list of objects with the text '
            f'"reason" and the list of texts "remedies", got {warnings!r:.80}'
        )


def _check_number(value: Any, owner: str) -> None:  # noqa: ANN401
    if type(value) not in (int, float) or not abs(value) < 1e15:
        raise ValueError(f'{owner}: expected a number, got {value!r:.80}')


def assess_quality(
    manifest: Manifest,
    probabilities: np.ndarray | None,
    content: Mapping,
    curves: Mapping[str, np.ndarray],
    group_of_class: np.ndarray,
) -> Quality:
    """Return the warnings and the quality table of a retrieval.

    Args:
        manifest: M retrieved images.
        probabilities: (M,) probabilities of their classes; None if unknown.
        content: Result of :func:`read_quality`; {} without the file.
        curves: Group -> measured precision of the best n images in percent;
            {} if it is unknown what web images show.
        group_of_class: (K,) names.
    """
    known = {name: float(values[-1]) for name, values in curves.items()}
    estimated = {
        name: value
        for name, value in content.get('precision', {}).items()
        if value is not None
    }
    precision = known or estimated
    columns: dict[str, dict[str, str]] = {}
    if content:
        columns['CLIP on val, %'] = _format(content['zero_shot'], '.1f')
    for rank, means in _average_by_rank_and_group(
        manifest, probabilities, group_of_class
    ).items():
        columns[f'p of image {rank}, %'] = _format(means, '.0f')
    if precision:
        title = 'precision, %' if known else 'estimated precision, %'
        columns[title] = _format(precision, '.1f')
    rows = {
        group: [column.get(group, '–') for column in columns.values()]
        for group in (*GROUPS, 'all')
        if any(group in column for column in columns.values())
    }
    warnings = list(
        content['warnings']
        if content
        else _find_low_scores(manifest, probabilities)
    )
    if known.get('all', 100) < MIN_PRECISION:
        warnings.insert(0, _warn_of_precision(known['all'], manifest))
    return Quality(
        warnings,
        list(columns),
        rows,
        precision.get('all'),
        not known,
        str(content.get('precision_bias', '')),
    )


def _format(values: Mapping[str, float], code: str) -> dict[str, str]:
    return {group: format(value, code) for group, value in values.items()}


def _average_by_rank_and_group(
    manifest: Manifest,
    probabilities: np.ndarray | None,
    group_of_class: np.ndarray,
) -> dict[int, dict[str, float]]:
    """Return rank -> group -> mean probability over classes, in percent."""
    if probabilities is None:
        return {}
    groups = group_of_class[manifest.class_id]
    found: dict[int, dict[str, float]] = {}
    for rank in RANKS:
        for group in (*GROUPS, 'all'):
            inside = (manifest.rank == rank - 1) & (
                (groups == group) | (group == 'all')
            )
            if inside.any():
                mean = 100 * float(probabilities[inside].mean())
                found.setdefault(rank, {})[group] = mean
    return found


def _find_low_scores(
    manifest: Manifest, probabilities: np.ndarray | None
) -> list[dict]:
    """Return a warning if the best images of many classes are uncertain."""
    if probabilities is None or not len(manifest):
        return []
    best = probabilities[manifest.rank == 0]
    share = 100 * float((best < MIN_BEST).mean())
    if share <= MAX_UNCERTAIN_CLASSES:
        return []
    return [
        {
            'reason': (
                f'in {share:.0f} % of the classes, the best image has a '
                f'probability below {100 * MIN_BEST:.0f} %'
            ),
            'remedies': [
                'Check names and prompts with '
                'tools/analysis_tools/check_retrieval.py.',
                _leave_out_uncertain(manifest),
            ],
        }
    ]


def _warn_of_precision(precision: float, manifest: Manifest) -> dict:
    return {
        'reason': (
            f'{precision:.0f} % of the retrieved images show their class'
        ),
        'remedies': [
            'Take fewer images per class: --budget.',
            _leave_out_uncertain(manifest),
        ],
    }


def _leave_out_uncertain(manifest: Manifest) -> str:
    used = manifest.source.get('min_probability') or 0.0
    return (
        f'Leave out uncertain images: '
        f'{advise_threshold(manifest.needs_fit, used)}.'
    )

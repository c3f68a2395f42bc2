"""Check of the aim of retrieval: each method gains, the strongest clearly."""

from collections.abc import Sequence
from statistics import mean

from methods import (
    ENSEMBLES,
    METHODS,
    PLAIN,
    ZERO_SHOT_TITLE,
    name_ensemble,
)
from recipe_table import group_rows, list_differences
from toy_stages import NO_RETRIEVAL, TRUSTED

from ltvl_mm.evaluation.accuracy_table import format_mean

BEST = TRUSTED  # the recipe that has to reach the aim
# Points that the strongest method without retrieved images gains with them.
MINIMUM_GAINS = {'all': 2.0, 'few': 5.0}


def check_gains(rows: Sequence[dict]) -> list[dict]:
    """Return a check per method: no seed loses overall accuracy.

    Args:
        rows: One per method, recipe and seed, in percent.

    Returns:
        ``method``, ``gains`` (seed -> points over all classes) and ``holds``,
        of the methods that a seed has both without and with retrieved images.
    """
    found = group_rows(rows)
    checks = []
    for method in dict.fromkeys(row['method'] for row in rows):
        gains = list_differences(found, method, BEST, 'all')
        if gains:
            holds = min(gains.values()) >= 0
            checks.append({'method': method, 'gains': gains, 'holds': holds})
    return checks


def check_strongest(rows: Sequence[dict]) -> list[dict]:
    """Return checks that the strongest method gains enough.

    The strongest one has the highest mean accuracy over all classes without
    retrieved images: of all methods, and of those with the plain student.
    Ensembles with CLIP do not count: what retrieval teaches, CLIP knows. Nor
    does CLIP without training.

    Args:
        rows: One per method, recipe and seed, in percent.

    Returns:
        Per set of methods and column ``name``, ``method``, ``column``,
        ``gains`` (seed -> points; none if it was not run with retrieved
        images), ``minimum`` and ``holds``: whether each seed gains enough.
    """
    found = group_rows(rows)
    left_out = {name_ensemble(METHODS[key]) for key in ENSEMBLES}
    left_out.add(ZERO_SHOT_TITLE)
    student = METHODS[PLAIN].student
    means, students = {}, {}
    for (method, recipe), by_seed in found.items():
        first = next(iter(by_seed.values()))
        if recipe == NO_RETRIEVAL and method not in left_out:
            means[method] = mean(row['all'] for row in by_seed.values())
            students[method] = first['student']
    checks = []
    for name, methods in (
        ('strongest of all', list(means)),
        (
            f'strongest with {student}',
            [method for method in means if students[method] == student],
        ),
    ):
        if not methods:
            continue
        method = max(methods, key=means.__getitem__)
        for column, minimum in MINIMUM_GAINS.items():
            gains = list_differences(found, method, BEST, column)
            checks.append(
                {
                    'name': name,
                    'method': method,
                    'column': column,
                    'gains': gains,
                    'minimum': minimum,
                    'holds': bool(gains) and min(gains.values()) >= minimum,
                }
            )
    return checks


def format_gains(gains: Sequence[dict], strongest: Sequence[dict]) -> str:
    """Return the checks as a Markdown table, the strongest methods first.

    Args:
        gains: Checks of :func:`check_gains`.
        strongest: Checks of :func:`check_strongest`.
    """
    lines = [
        f'| {BEST} against {NO_RETRIEVAL} | points | needed | holds '
        f'| seed by seed |',
        '| :-- | --: | --: | :-- | :-- |',
    ]
    for check in strongest:
        name = f'{check["name"]} ({check["method"]}), {check["column"]}'
        lines.append(_format_line(name, check, check['minimum']))
    for check in gains:
        lines.append(_format_line(f'{check["method"]}, all', check, 0))
    holding = sum(check['holds'] for check in gains)
    lines.append(
        f'\n{holding} of {len(gains)} methods lose in no seed, overall.'
    )
    return '\n'.join(lines)


def _format_line(name: str, check: dict, minimum: float) -> str:
    if not check['gains']:
        return f'| {name} | – | >= {minimum:g} | not run | |'
    by_seed = ', '.join(f'{s}: {v:+.1f}' for s, v in check['gains'].items())
    return (
        f'| {name} | {format_mean(list(check["gains"].values()))} | '
        f'>= {minimum:g} | {"yes" if check["holds"] else "no"} | {by_seed} |'
    )

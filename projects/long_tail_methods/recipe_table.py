"""Accuracy of each method without retrieved images, and with each recipe."""

from collections.abc import Sequence
from statistics import mean

from toy_stages import NO_RETRIEVAL, RECIPES

from ltvl_mm.evaluation.accuracy_table import format_mean

COLUMNS = ('few', 'all')
Rows = dict[tuple[str, str], dict[int, dict]]


def group_rows(rows: Sequence[dict]) -> Rows:
    """Return (method, recipe) -> seed -> row.

    Args:
        rows: One per method, recipe and seed.
    """
    found: Rows = {}
    for row in rows:
        key = row['method'], row['recipe']
        found.setdefault(key, {})[row['seed']] = row
    return found


def list_differences(
    rows: Rows, method: str, recipe: str, column: str
) -> dict[int, float]:
    """Return seed -> points that a recipe gains over no retrieved images.

    Args:
        rows: Rows of :func:`group_rows`.
        method: Name of the method.
        recipe: Key of ``RECIPES``.
        column: Group of classes, or ``'all'``.

    Returns:
        The points of the seeds that have both rows, seeds rising.
    """
    before = rows.get((method, NO_RETRIEVAL), {})
    after = rows.get((method, recipe), {})
    return {
        seed: after[seed][column] - before[seed][column]
        for seed in sorted(before.keys() & after.keys())
        if column in before[seed] and column in after[seed]
    }


def format_recipes(rows: Sequence[dict]) -> str:
    """Return a Markdown table: recipes side by side, gains in parentheses.

    Methods without a row of retrieved images are left out. A gain is the mean
    over the seeds that have both rows.

    Args:
        rows: One per method, recipe and seed, in percent.
    """
    found = group_rows(rows)
    methods = dict.fromkeys(row['method'] for row in rows if row['retrieval'])
    names = [f'{column}: {recipe}' for column in COLUMNS for recipe in RECIPES]
    lines = [
        '| method | ' + ' | '.join(names) + ' |',
        '| :-- |' + ' --: |' * len(names),
    ]
    for method in methods:
        cells = [
            _format_cell(found, method, recipe, column)
            for column in COLUMNS
            for recipe in RECIPES
        ]
        lines.append(f'| {method} | ' + ' | '.join(cells) + ' |')
    return '\n'.join(lines)


def _format_cell(rows: Rows, method: str, recipe: str, column: str) -> str:
    mine = rows.get((method, recipe), {}).values()
    cell = format_mean([row[column] for row in mine if column in row])
    gains = list_differences(rows, method, recipe, column)
    if recipe != NO_RETRIEVAL and gains:
        cell += f' ({mean(gains.values()):+.1f})'
    return cell

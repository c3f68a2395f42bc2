"""Accuracies of several methods and seeds as a Markdown table."""

from collections.abc import Sequence
from statistics import mean, stdev

from ltvl_mm.structures.class_counts import GROUPS

COLUMNS = (*GROUPS, 'all')


def format_accuracies(
    rows: Sequence[dict], *, more_columns: Sequence[str] = ()
) -> str:
    """Return a line per method, in the order of their first rows.

    Args:
        rows: One per method and seed: its ``method``, and per cent for each
            of COLUMNS; a group that has no class may be left out.
        more_columns: Keys of the rows that become columns after COLUMNS.
    """
    columns = (*COLUMNS, *more_columns)
    lines = [
        '| method | ' + ' | '.join(columns) + ' |',
        '| :-- |' + ' --: |' * len(columns),
    ]
    for method in dict.fromkeys(row['method'] for row in rows):
        mine = [row for row in rows if row['method'] == method]
        cells = [
            format_mean([row[name] for row in mine if name in row])
            for name in columns
        ]
        lines.append(f'| {method} | ' + ' | '.join(cells) + ' |')
    return '\n'.join(lines)


def format_mean(values: Sequence[float]) -> str:
    """Return the mean, and the standard deviation over several seeds.

    A dash if there are no values.
    """
    if not values:
        return '–'
    if len(values) == 1:
        return (
            str(values[0])
            if isinstance(values[0], int)
            else f'{values[0]:.1f}'
        )
    return f'{mean(values):.1f} ± {stdev(values):.1f}'

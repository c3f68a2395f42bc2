"""The regime of the emoji world beside that of ImageNet-LT in the paper."""

from collections.abc import Sequence
from dataclasses import dataclass
from statistics import mean, stdev

from methods import METHODS, PLAIN, ZERO_SHOT_TITLE


@dataclass(frozen=True)
class Limit:
    """A limit within which the world counts as the paper's regime.

    Args:
        name: Name of the check.
        column: Group of classes, or ``'all'``.
        limit: Limit in percent.
        at_least: True if the limit is a minimum, False for a maximum.
        paper: Ranges over students in the paper's Tables 1 to 4.
    """

    name: str
    column: str
    limit: float
    at_least: bool
    paper: str


_PLAIN = 'plain student'
_BEST = 'best re-balancing'
LIMITS = (
    Limit(_PLAIN, 'few', 20, False, 'few 8-13'),
    Limit(_PLAIN, 'all', 62, False, 'all 43-48'),
    Limit(_BEST, 'few', 50, False, 'few 25-38, all 57-60'),
    Limit(ZERO_SHOT_TITLE, 'all', 60, True, 'all 58-68'),
)


def check_regime(rows: Sequence[dict]) -> list[dict]:
    """Return a check per limit, on means over seeds.

    The best re-balancing method is the one with the highest mean accuracy
    over all classes, of those with the plain student.

    Args:
        rows: One per method and seed, in percent; those with retrieved images
            are left out.
    """
    found = {}
    for row in rows:
        if not row['retrieval']:
            found.setdefault(row['method'], []).append(row)
    names = {ZERO_SHOT_TITLE: ZERO_SHOT_TITLE, _PLAIN: METHODS[PLAIN].title}
    student = METHODS[PLAIN].student
    others = [
        name
        for name, (row, *_) in found.items()
        if row['rebalancing'] and row['student'] == student
    ]
    if others:
        names[_BEST] = max(
            others, key=lambda name: mean(row['all'] for row in found[name])
        )
    checks = []
    for limit in LIMITS:
        mine = found.get(names.get(limit.name, ''), [])
        values = [row[limit.column] for row in mine if limit.column in row]
        if values:
            value = mean(values)
            inside = (
                value >= limit.limit
                if limit.at_least
                else value <= limit.limit
            )
            checks.append(
                {
                    'name': limit.name,
                    'column': limit.column,
                    'method': names[limit.name],
                    'value': value,
                    'spread': stdev(values) if len(values) > 1 else None,
                    'seeds': len(values),
                    'limit': limit.limit,
                    'at_least': limit.at_least,
                    'holds': inside,
                    'paper': limit.paper,
                }
            )
    return checks


def format_checks(checks: Sequence[dict]) -> str:
    """Return the checks as a Markdown table beside the paper's figures."""
    lines = [
        '| check | measured | limit | holds | ImageNet-LT, in the paper |',
        '| :-- | --: | --: | :-- | :-- |',
    ]
    for check in checks:
        name = check['name']
        if check['method'] != name:
            name += f' ({check["method"]})'
        value = f'{check["value"]:.1f}'
        if check['spread'] is not None:
            value += f' ± {check["spread"]:.1f}'
        sign = '>=' if check['at_least'] else '<='
        lines.append(
            f'| {name}, {check["column"]} | {value} | '
            f'{sign} {check["limit"]:g} | {"yes" if check["holds"] else "no"} '
            f'| {check["paper"]} |'
        )
    return '\n'.join(lines)

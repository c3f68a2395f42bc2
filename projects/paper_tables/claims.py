"""Check the paper's claims on the emoji world: which hold, by how much.

Reads ``results.json`` of projects/long_tail_methods and prints a Markdown
table: for each claim the mean over seeds of the margin, in points of
accuracy, and the margin of each seed. Rows with retrieved images are those of
the paper's recipe, in which all images are alike (``plain``).
"""

import argparse
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from ltvl_mm.evaluation.accuracy_table import format_mean
from ltvl_mm.utils.command_line import make_parser, run_command
from ltvl_mm.utils.io import read_json

PLAIN = ('cross-entropy', False)
TACKLE = ('cross-entropy', True)
CLIP = ('CLIP zero-shot', False)
BALLAD = ('BALLAD, A then B', False)
JOINT = ('BALLAD, both phases jointly', False)
# One tower, then both.
TOWERS = (
    ('BALLAD, phase A, image tower', False),
    ('BALLAD, phase A, text tower', False),
)
BOTH_TOWERS = ('BALLAD, phase A', False)
PACO_CLIP = ("PaCo, CLIP's weights", False)
STUDENTS = ('cross-entropy', 'DeiT', 'CONTAINER')

# The paper's way to train on retrieved images, in rows that have some.
RECIPE = 'plain'
# Method and whether it has retrieved images -> its row.
Rows = dict[tuple[str, bool], dict]
# Rows of a seed -> points of accuracy; KeyError if one is missing.
Measure = Callable[[Rows], float]


@dataclass(frozen=True)
class Claim:
    """A claim of the paper.

    Args:
        table: Tables of the paper that show it.
        text: Words of the claim.
        measure: Function that returns the points by which one seed shows it.
        minimum: Points that it needs.
        strict: True if exactly ``minimum`` points are too few.
    """

    table: str
    text: str
    measure: Measure
    minimum: float = 0.0
    strict: bool = True

    def holds(self, value: float) -> bool:
        """Return whether so many points are enough."""
        if self.strict:
            return value > self.minimum
        return value >= self.minimum


def list_claims() -> Iterator[Claim]:
    """Yield the claims in the order of the paper's tables."""
    yield Claim(
        '1-3',
        'plain student + retrieval above every re-balancing method, overall',
        lambda rows: rows[TACKLE]['all'] - _find_best(rows),
    )
    yield Claim(
        '1', 'BALLAD above zero-shot CLIP, overall', _subtract(BALLAD, CLIP)
    )
    yield Claim(
        '1',
        'BALLAD above PaCo from CLIP, overall',
        _subtract(BALLAD, PACO_CLIP),
    )
    yield Claim(
        '4',
        'the more of CLIP is fine-tuned, the higher many',
        lambda rows: _find_smallest_step(rows, 'many'),
    )
    yield Claim(
        '4',
        'the more of CLIP is fine-tuned, the lower few',
        lambda rows: _find_smallest_step(rows, 'few', sign=-1),
    )
    yield Claim(
        '5', 'decoupled above joint, overall', _subtract(BALLAD, JOINT)
    )
    for name in ('DeiT', 'CONTAINER'):
        for text, column, minimum in (
            ('gains >= 25 points few-shot', 'few', 25),
            ('gains >= 5 points overall', 'all', 5),
            ('loses <= 3 points many-shot', 'many', -3),
        ):
            yield Claim(
                '6',
                f'{name} + retrieval {text}',
                _subtract((name, True), (name, False), column),
                minimum,
                strict=False,
            )
    for name in STUDENTS:
        yield from _list_ensemble_claims(name)


def check_claim(claim: Claim, rows: Sequence[dict]) -> dict[int, float]:
    """Return seed -> points, of the seeds that have all rows it needs.

    Args:
        claim: The claim.
        rows: Rows of ``results.json``.
    """
    seeds: dict[int, Rows] = {}
    for row in rows:
        if row['retrieval'] and row['recipe'] != RECIPE:
            continue
        key = (row['method'], row['retrieval'])
        seeds.setdefault(row['seed'], {})[key] = row
    found = {}
    for seed in sorted(seeds):
        try:
            found[seed] = claim.measure(seeds[seed])
        except KeyError:
            continue  # it says which seeds it was measured on
    return found


def format_claims(rows: Sequence[dict]) -> str:
    """Return a Markdown table, a line per claim.

    Args:
        rows: Rows of ``results.json``.
    """
    lines = [
        '| table | claim | verdict | points (needed) | seed by seed |',
        '| :-- | :-- | :-- | --: | :-- |',
    ]
    for claim in list_claims():
        found = check_claim(claim, rows)
        values = list(found.values())
        sign = '>' if claim.strict else '>='
        by_seed = ', '.join(f'{s}: {v:+.1f}' for s, v in found.items())
        lines.append(
            f'| {claim.table} | {claim.text} | {_judge(claim, values)} | '
            f'{format_mean(values)} ({sign} {claim.minimum:g}) | {by_seed} |'
        )
    return '\n'.join(lines)


def _judge(claim: Claim, values: Sequence[float]) -> str:
    if not values:
        return 'not run'
    right = sum(claim.holds(value) for value in values)
    if right == len(values):
        return 'holds'
    verdict = 'does not hold'
    if claim.holds(sum(values) / len(values)):
        verdict = 'holds on the mean'
    return f'{verdict} ({right} of {len(values)} seeds)'


def _list_ensemble_claims(name: str) -> Iterator[Claim]:
    mixed = f'{name} + CLIP'

    def exceed_parts(rows: Rows) -> float:
        parts = rows[name, True]['all'], rows[CLIP]['all']
        return rows[mixed, True]['all'] - max(parts)

    yield Claim(
        '7', f'{name} + retrieval + CLIP above both parts', exceed_parts
    )
    yield Claim(
        '7',
        f'{name} + retrieval + CLIP above {name} + CLIP',
        _subtract((mixed, True), (mixed, False)),
    )


def _subtract(
    first: tuple[str, bool], second: tuple[str, bool], column: str = 'all'
) -> Measure:
    """Return the measure of how far the first row is above the second."""
    return lambda rows: rows[first][column] - rows[second][column]


def _find_best(rows: Rows) -> float:
    """Return the overall accuracy of the best re-balancing method.

    With the plain student, and without retrieved images.
    """
    values = [
        row['all']
        for (_, retrieval), row in rows.items()
        if row['rebalancing']
        and not retrieval
        and row['student'] == rows[PLAIN]['student']
    ]
    if not values:
        raise KeyError('re-balancing methods')
    return max(values)


def _find_smallest_step(rows: Rows, column: str, sign: int = 1) -> float:
    """Return the smallest change from less fine-tuning to more.

    Steps lead from CLIP to each tower alone, and from it to both.
    """
    steps = []
    for tower in TOWERS:
        values = [rows[one][column] for one in (CLIP, tower, BOTH_TOWERS)]
        steps += [values[1] - values[0], values[2] - values[1]]
    return min(sign * step for step in steps)


def build_parser() -> argparse.ArgumentParser:
    parser = make_parser(__doc__)
    parser.add_argument(
        'results',
        nargs='?',
        type=Path,
        default='work_dirs/long_tail_methods/results.json',
        help='results.json of projects/long_tail_methods',
    )
    return parser


def main() -> None:
    args = build_parser().parse_args()
    print(format_claims(read_json(args.results)['rows']))


if __name__ == '__main__':
    run_command(main)

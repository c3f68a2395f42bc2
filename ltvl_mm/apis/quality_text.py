"""Table and warnings of a retrieval check as text."""

from collections.abc import Sequence

from ltvl_mm.evaluation.accuracy_table import format_mean
from ltvl_mm.evaluation.retrieval_quality import RANKS
from ltvl_mm.evaluation.retrieval_warnings import MIN_BEST
from ltvl_mm.structures.class_counts import GROUPS


def describe_quality(result: dict) -> str:
    """Return the table and the warnings of a check as Markdown text."""
    groups = [name for name in (*GROUPS, 'all') if name in result['groups']]
    lines = [
        '| classes | CLIP on val, % | '
        + ' | '.join(f'p of image {rank}' for rank in RANKS)
        + ' | estimated precision, % |',
        '| :-- |' + ' --: |' * (len(RANKS) + 2),
    ]
    for group in groups:
        row = result['groups'][group]
        precision = result['precision'][group]
        cells = [
            format_mean(_list_number(result['zero_shot'].get(group))),
            *(
                f'{row[name]:.2f}' if name in row else '–'
                for name in (f'probability_{rank}' for rank in RANKS)
            ),
            format_mean(_list_number(precision)),
        ]
        lines.append(f'| {group} | ' + ' | '.join(cells) + ' |')
    lines.append(f'the precision is an estimate; {result["precision_bias"]}')
    share = result['uncertain_classes']
    if share is not None:
        lines.append(
            f'best image below p = {MIN_BEST:g}, calibrated on val: '
            f'{share:.0f} % of the classes'
        )
    both = result['temperature']
    lines.append(
        f'temperature {both["used"]:g}, of the p in the table; most likely on '
        f'val, of calibrated p: {both["fitted_to_val"]:g}'
    )
    lines += describe_warnings(result['warnings'])
    return '\n'.join(lines)


def describe_warnings(warnings: Sequence[dict]) -> list[str]:
    """Return the lines that tell warnings; one line if there are none."""
    if not warnings:
        return ['no warning: CLIP knows these classes']
    lines = []
    for warning in warnings:
        lines.append(f'WARNING: {warning["reason"]}.')
        lines += [f'  - {remedy}' for remedy in warning['remedies']]
    return lines


def _list_number(value: float | None) -> list[float]:
    return [] if value is None else [value]

"""The regime of the emoji world beside that of ImageNet-LT in the paper."""

from collections.abc import Sequence
from pathlib import Path
from statistics import mean

from ltvl_mm.evaluation.accuracy_table import COLUMNS, format_accuracies
from ltvl_mm.utils.io import read_json, write_json

PLAIN = 'r18'
ZERO_SHOT = 'clip_zero_shot'
# Config below configs/emoji -> name.
METHODS = {
    PLAIN: 'plain student',
    'baselines/balanced_softmax': 'balanced softmax',
    'baselines/ldam_drw': 'LDAM-DRW',
    'baselines/ride': 'RIDE, 3 experts',
    'baselines/tade': 'TADE, 3 experts',
    'baselines/paco': 'PaCo',
}
# Ranges over students of the paper's Tables 1 to 4 (many/medium/few/all).
PAPER = {
    'plain student': '65-71 / 37-40 / 8-13 / 43-48',
    'best re-balancing': 'few 25-38, all 57-60',
    'CLIP zero-shot': 'all 58-68',
}
# Limits within which the embedded world counts as the paper's regime.
MAX_PLAIN_FEW = 20.0
MAX_PLAIN_ALL = 62.0
MAX_REBALANCED_FEW = 50.0
MIN_ZERO_SHOT = 60.0


def summarize(work: Path, seeds: Sequence[int], methods: Sequence[str]) -> str:
    """Write ``results.json`` and return tables of accuracies and checks.

    Args:
        work: Folder of the study.
        seeds: Seeds that were run.
        methods: Keys of :data:`METHODS` that were run.
    """
    names = {ZERO_SHOT: 'CLIP zero-shot', **METHODS}
    rows = []
    for config in (ZERO_SHOT, *methods):
        for seed in seeds:
            metrics = read_json(work / f'seed{seed}' / config / 'metrics.json')
            rows.append(
                {
                    'method': names[config],
                    'seed': seed,
                    **{
                        column: metrics[f'shot/{column}']
                        for column in COLUMNS
                        if f'shot/{column}' in metrics
                    },
                }
            )
    checks = check_regime(rows)
    write_json(work / 'results.json', {'rows': rows, 'checks': checks})
    return '\n\n'.join([format_accuracies(rows), format_checks(checks)])


def check_regime(rows: Sequence[dict]) -> list[dict]:
    """Return a check per limit, on means over seeds.

    The best re-balancing method is the one with the highest mean accuracy
    over all classes.

    Args:
        rows: One per method and seed, in percent.
    """
    plain = METHODS[PLAIN]
    checks = []
    names = {row['method'] for row in rows}
    if plain in names:
        few, total = _average(rows, plain, 'few'), _average(rows, plain, 'all')
        checks += [
            _check(plain, 'few', few, MAX_PLAIN_FEW),
            _check(plain, 'all', total, MAX_PLAIN_ALL),
        ]
    others = sorted(names - {plain, 'CLIP zero-shot'})
    if others:
        best = max(others, key=lambda name: _average(rows, name, 'all'))
        few = _average(rows, best, 'few')
        check = _check('best re-balancing', 'few', few, MAX_REBALANCED_FEW)
        checks.append({**check, 'found': best})
    if 'CLIP zero-shot' in names:
        value = _average(rows, 'CLIP zero-shot', 'all')
        check = _check('CLIP zero-shot', 'all', value, MIN_ZERO_SHOT)
        checks.append({**check, 'holds': value >= MIN_ZERO_SHOT})
    return checks


def format_checks(checks: Sequence[dict]) -> str:
    """Return the checks as a Markdown table beside the paper's figures."""
    lines = [
        '| check | measured | limit | holds | ImageNet-LT, in the paper |',
        '| :-- | --: | --: | :-- | :-- |',
    ]
    for check in checks:
        sign = '>=' if check['method'] == 'CLIP zero-shot' else '<='
        name = check['method']
        if 'found' in check:
            name += f' ({check["found"]})'
        lines.append(
            f'| {name}, {check["column"]} | {check["value"]:.1f} | '
            f'{sign} {check["limit"]:g} | {"yes" if check["holds"] else "no"} '
            f'| {PAPER[check["method"]]} |'
        )
    return '\n'.join(lines)


def _check(method: str, column: str, value: float, limit: float) -> dict:
    return {
        'method': method,
        'column': column,
        'value': value,
        'limit': limit,
        'holds': value <= limit,
    }


def _average(rows: Sequence[dict], method: str, column: str) -> float:
    return mean(row[column] for row in rows if row['method'] == method)

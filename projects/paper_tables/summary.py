"""A table of the paper beside ours, as JSON and as Markdown."""

from pathlib import Path
from statistics import mean

from rows import Row

from ltvl_mm.evaluation.accuracy_table import COLUMNS, format_mean
from ltvl_mm.utils.io import atomic_write, read_json, write_json
from ltvl_mm.utils.stages import Stage, read_seconds


def collect_row(row: Row, work: Path, hours: dict[int, float]) -> dict:
    """Return what the paper reports of a row, and what each seed gave.

    Args:
        row: Row of the table.
        work: Holds ``seed<s>/`` for each seed of ``hours``.
        hours: Seed -> what the stages of the row took.
    """
    found = {
        'row': row.number,
        'method': row.method,
        'backbone': row.backbone,
        'paper': row.paper,
        'configs': [config.stem for config in row.configs],
        'seeds': [],
    }
    for seed, duration in hours.items():
        file = work / f'seed{seed}' / row.folder / 'metrics.json'
        metrics = read_json(file)
        ours = {
            name: metrics[f'shot/{name}']
            for name in COLUMNS
            if f'shot/{name}' in metrics
        }
        found['seeds'].append({'seed': seed, 'hours': duration, **ours})
    return found


def measure_hours(stages: list[Stage], work: Path) -> float:
    """Return the hours that finished stages of a seed took."""
    return sum(read_seconds(stage, work) or 0 for stage in stages) / 3600


def write_table(
    folder: Path, table: int, title: str, rows: list[dict], *, commit: str
) -> str:
    """Write ``table<N>.json`` and ``.md``; return the latter's text.

    Args:
        folder: Folder of the study.
        table: Its number in the paper.
        title: Title of the table.
        rows: Results of :func:`collect_row`; ``why`` holds the
            reason if nothing was run.
        commit: Commit of the clone that the results were made with.
    """
    write_json(
        folder / f'table{table}.json',
        {'table': table, 'title': title, 'commit': commit, 'rows': rows},
    )
    lines = [
        f'Table {table}. {title}.',
        '',
        '| row | method | backbone | config | '
        + ' | '.join(f'{name}: paper | ours' for name in COLUMNS)
        + ' | difference | seeds | hours |',
        '| --: | :-- | :-- | :-- |' + ' --: |' * (2 * len(COLUMNS) + 3),
        *map(_format_row, rows),
        '',
        'Difference: ours less the paper, in all. Hours: of the stages that '
        f'are this row’s own, mean over seeds. commit: {commit}.',
    ]
    text = '\n'.join(lines)
    with atomic_write(folder / f'table{table}.md', 'w') as file:
        file.write(f'{text}\n')
    return text


def _format_row(row: dict) -> str:
    seeds = row.get('seeds', [])
    cells = [str(row['row']), row['method'], row['backbone']]
    cells.append(', '.join(row['configs']))
    for name in COLUMNS:
        paper = row['paper'].get(name)
        cells.append('' if paper is None else f'{paper:.1f}')
        ours = [seed[name] for seed in seeds if name in seed]
        cells.append(format_mean(ours) if seeds else '')
    if seeds:
        gap = mean(s['all'] for s in seeds) - row['paper']['all']
        cells += [
            f'{gap:+.1f}',
            ', '.join(str(s['seed']) for s in seeds),
            f'{mean(s["hours"] for s in seeds):.2f}',
        ]
    else:
        cells += [row.get('why', ''), '', '']
    return f'| {" | ".join(cells)} |'

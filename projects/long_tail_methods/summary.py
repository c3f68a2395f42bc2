"""Results of the study so far, as JSON and as tables."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from methods import (
    ENSEMBLES,
    METHODS,
    PLAIN,
    POST_HOC,
    RESLT_GAMMA,
    ZERO_SHOT_TITLE,
    Method,
    name_ensemble,
)
from regime import check_regime, format_checks
from study_stages import find_run, name_run

from ltvl_mm.evaluation.accuracy_table import format_accuracies
from ltvl_mm.structures.class_counts import GROUPS
from ltvl_mm.utils.io import atomic_write, read_json, write_json

MEASURES = (*GROUPS, 'all', 'harmonic_mean')


@dataclass(frozen=True)
class Source:
    """Where a row of a seed is found.

    Args:
        method: Name of the method in tables.
        student: Name of the model.
        retrieval: True if it was also trained on retrieved images.
        file: Results, in the folder of the seed.
        row: Name of the row in ``test`` of the file; '' for a file of
            metrics.
        rebalancing: True for a re-balancing method.
    """

    method: str
    student: str
    retrieval: bool
    file: str
    row: str = ''
    rebalancing: bool = False


def summarize(work: Path) -> str:
    """Write ``results.json`` and ``results.md``; return the latter's text.

    Args:
        work: Folder of the study, whose seeds need not be complete.
    """
    seeds = find_seeds(work)
    rows, missing = [], []
    for source in list_sources():
        for seed in seeds:
            row = _read_row(source, work / f'seed{seed}')
            if row is None:
                missing.append(_describe(source, seed))
            else:
                rows.append({**row, 'seed': seed})
    checks = check_regime(rows)
    write_json(
        work / 'results.json',
        {'rows': rows, 'regime': checks, 'missing': missing},
    )
    text = _format(rows, checks, missing)
    with atomic_write(work / 'results.md', 'w') as file:
        file.write(f'{text}\n')
    return f'{text}\n\nTable: {work / "results.json"} and results.md'


def find_seeds(work: Path) -> list[int]:
    """Return the sorted seeds that have a folder."""
    names = [path.name for path in work.glob('seed*')]
    return sorted(int(n[4:]) for n in names if n[4:].isdigit())


def list_sources() -> Iterator[Source]:
    """Yield where each row of the tables is found."""
    zero_shot = find_run('clip_zero_shot')
    yield Source(ZERO_SHOT_TITLE, 'CLIP', False, f'{zero_shot}/metrics.json')
    for retrieval in (False, True):
        for key, method in METHODS.items():
            if method.retrieval if retrieval else method.plain:
                yield from _list_method_sources(key, method, retrieval)


def _list_method_sources(
    key: str, method: Method, retrieval: bool
) -> Iterator[Source]:
    folder = find_run(name_run(method.config, retrieval=retrieval))
    model = (method.student, retrieval)
    file = f'{folder}/metrics.json'
    yield Source(method.title, *model, file, rebalancing=method.rebalancing)
    if key in ENSEMBLES:
        file = f'{folder}_clip/metrics.json'
        yield Source(name_ensemble(method), *model, file)
    if key == PLAIN:
        for title, (file, row) in POST_HOC.items():
            yield Source(title, *model, f'{folder}/post_hoc/{file}', row, True)
    if key == 'reslt':
        file, row = POST_HOC['tau-normalized']
        file = f'{folder}/post_hoc/{file}'
        yield Source(RESLT_GAMMA, *model, file, row, True)


def _read_row(source: Source, folder: Path) -> dict | None:
    """Return a row in percent; None if it is not there yet."""
    if not (folder / source.file).is_file():
        return None
    content = read_json(folder / source.file)
    if source.row:
        (found,) = [r for r in content['test'] if r['method'] == source.row]
    else:
        found = {
            name.removeprefix('shot/'): value
            for name, value in content.items()
        }
    return {
        'method': source.method,
        'student': source.student,
        'retrieval': source.retrieval,
        'rebalancing': source.rebalancing,
        **{name: found[name] for name in MEASURES if name in found},
    }


def _describe(source: Source, seed: int) -> str:
    how = 'with' if source.retrieval else 'without'
    return f'{source.method}, {how} retrieved images, seed {seed}'


def _format(
    rows: Sequence[dict], checks: Sequence[dict], missing: Sequence[str]
) -> str:
    """Return the tables of what is there."""
    parts = []
    for title, retrieval in (
        ('Without retrieved images', False),
        ('With retrieved images', True),
    ):
        mine = [row for row in rows if row['retrieval'] == retrieval]
        if mine:
            parts += [f'{title}:', format_accuracies(mine)]
    if checks:
        parts += ['Regime:', format_checks(checks)]
    if missing:
        parts.append(f'Not there yet ({len(missing)}):')
        parts.append('\n'.join(f'- {line}' for line in missing))
    return '\n\n'.join(parts)

"""Results of the study so far, as JSON and as tables."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from aim import check_gains, check_strongest, format_gains
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
from recipe_table import format_recipes
from regime import check_regime, format_checks
from toy_stages import NO_RETRIEVAL, RECIPES, find_run, name_run

from ltvl_mm.evaluation.accuracy_table import format_accuracies
from ltvl_mm.structures.class_counts import GROUPS
from ltvl_mm.utils.io import atomic_write, read_json, write_json

MEASURES = (*GROUPS, 'all', 'harmonic_mean')
TITLES = {
    NO_RETRIEVAL: 'Without retrieved images',
    'plain': 'With retrieved images, all alike (plain)',
    'trusted': 'With more retrieved images, of p_k >= 0.5 (trusted)',
}


@dataclass(frozen=True)
class Source:
    """Where a row of a seed is found.

    Args:
        method: Name of the method in tables.
        student: Name of the model.
        recipe: Recipe of its training, a key of ``RECIPES``.
        file: Results, in the folder of the seed.
        row: Name of the row in ``test`` of the file; '' for a file of
            metrics.
        rebalancing: True for a re-balancing method.
    """

    method: str
    student: str
    recipe: str
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
    gains, strongest = check_gains(rows), check_strongest(rows)
    write_json(
        work / 'results.json',
        {
            'rows': rows,
            'regime': checks,
            'gains': gains,
            'strongest': strongest,
            'missing': missing,
        },
    )
    parts = list_tables(rows)
    if checks:
        parts += ['Regime:', format_checks(checks)]
    if gains:
        parts += ['Aim of retrieval:', format_gains(gains, strongest)]
    if missing:
        parts.append(f'Not there yet ({len(missing)}):')
        parts.append('\n'.join(f'- {line}' for line in missing))
    text = '\n\n'.join(parts)
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
    yield Source(
        ZERO_SHOT_TITLE, 'CLIP', NO_RETRIEVAL, f'{zero_shot}/metrics.json'
    )
    for recipe in RECIPES:
        for key, method in METHODS.items():
            if recipe in method.recipes:
                yield from _list_method_sources(key, method, recipe)


def _list_method_sources(
    key: str, method: Method, recipe: str
) -> Iterator[Source]:
    folder = find_run(name_run(method.config, recipe))
    model = (method.student, recipe)
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
        'retrieval': source.recipe != NO_RETRIEVAL,
        'recipe': source.recipe,
        'rebalancing': source.rebalancing,
        **{name: found[name] for name in MEASURES if name in found},
    }


def _describe(source: Source, seed: int) -> str:
    how = 'without retrieved images'
    if source.recipe != NO_RETRIEVAL:
        how = f'with retrieved images, recipe {source.recipe}'
    return f'{source.method}, {how}, seed {seed}'


def list_tables(rows: Sequence[dict]) -> list[str]:
    """Return titles and tables: recipes compared, then each in full.

    Args:
        rows: One per method, recipe and seed, in percent.
    """
    parts = []
    if any(row['retrieval'] for row in rows):
        parts += ['Gains by retrieved images:', format_recipes(rows)]
    for recipe, title in TITLES.items():
        mine = [row for row in rows if row['recipe'] == recipe]
        if mine:
            parts += [f'{title}:', format_accuracies(mine)]
    return parts

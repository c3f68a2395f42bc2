"""The plan of a table as text: what is missing, what it costs, what runs."""

import argparse
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from headers import describe_row
from plan import list_stages
from prerequisites import WEB_IMAGES, Missing, describe_missing
from rows import Row

from ltvl_mm.utils.progress import progress_bar
from ltvl_mm.utils.stages import ROOT, Stage, is_done

if TYPE_CHECKING:
    from costs import Cost

GB = 1e9


def describe_plan(
    rows: list[Row],
    work: Path,
    args: argparse.Namespace,
    missing: list[Missing],
    leaks: list[str],
) -> Iterator[str]:
    """Yield the lines of a dry run, what is missing first.

    Args:
        rows: Those to run, each with configs.
        work: Folder of the results.
        args: Arguments of the command: ``gpus`` and ``seeds``.
        missing: Files that are not there.
        leaks: Sentences on lists that share images.
    """
    yield from describe_missing(missing)
    yield from leaks
    if not missing and not leaks:
        yield 'nothing is missing'
    costs = _estimate(rows)
    if costs:
        yield from _describe_costs(costs, args, missing)
    shown: set[str] = set()
    for row in rows:
        yield ''
        yield from _describe_row(row)
        yield from _describe_stages(row, work, args, costs, shown)


def _estimate(rows: list[Row]) -> 'dict[Path, Cost]':
    # Import torch, which --help does without.
    import torch
    from costs import estimate_cost

    # Of one image a model: threads would mostly wait for each other.
    torch.set_num_threads(1)

    configs = dict.fromkeys(c for row in rows for c in row.configs)
    with progress_bar(
        total=len(configs),
        title='estimate costs',
        unit='config',
        silent=len(configs) < 5,
    ) as bar:
        costs = {}
        for config in configs:
            costs[config] = estimate_cost(config)
            bar.update()
    return costs


def _describe_costs(
    costs: 'dict[Path, Cost]',
    args: argparse.Namespace,
    missing: list[Missing],
) -> Iterator[str]:
    seeds = len(args.seeds)
    hours = sum(cost.gpu_hours for cost in costs.values()) * seeds
    disk = sum(cost.disk for cost in costs.values()) * seeds
    downloads = {
        name: size
        for cost in costs.values()
        for name, size in cost.downloads.items()
    }
    if any(one.bring == WEB_IMAGES for one in missing):
        downloads['ViT-B-16-quickgelu openai (open_clip), to retrieve'] = 335e6
    yield (
        f'costs of {seeds} seed{"s" if seeds > 1 else ""}, estimated from '
        f'multiply-adds, not measured: {hours:.0f} GPU hours of an A100 with '
        f'--amp, so {hours / args.gpus:.1f} hours on {args.gpus} '
        f'GPU{"s" if args.gpus > 1 else ""} (--gpus); {disk / GB:.0f} GB of '
        f'checkpoints in work_dirs'
    )
    if downloads:
        yield f'downloads, {sum(downloads.values()) / GB:.1f} GB of weights:'
        for name, size in sorted(downloads.items()):
            yield f'  {name}: about {size / 1e6:.0f} MB'
    else:
        yield 'downloads: no weights'


def _describe_row(row: Row) -> Iterator[str]:
    """Yield numbers, configs, source and deviations of a row."""
    paper = ', '.join(
        f'{value} % {"overall" if name == "all" else name}'
        for name, value in row.paper.items()
    )
    yield f'row {row.table}.{row.number} {row.name}: {paper} in the paper'
    names = [str(config.relative_to(ROOT)) for config in row.configs]
    yield f'  configs: {names[0]}'
    # Trained after the first one, or mixed with it.
    link = 'and' if row.recipe == 'ensemble' else 'then'
    for name in names[1:]:
        yield f'    {link:<7}{name}'
    header = describe_row(row.recipe, row.configs[-1])
    for field, text in header.items():
        yield f'  {field + ":":<9}{text}'


def _describe_stages(
    row: Row,
    work: Path,
    args: argparse.Namespace,
    costs: 'dict[Path, Cost]',
    shown: set[str],
) -> Iterator[str]:
    """Yield the commands of a row for the first seed, each once a table."""
    by_name = {f'train {config.stem}': config for config in row.configs}
    seeds = [
        list_stages(row, folder, seed, gpus=args.gpus)
        for seed, folder in _list_seeds(work, args)
    ]
    for stages in zip(*seeds, strict=True):
        name = stages[0].name
        if name in shown:
            yield f'  {name}: as above'
            continue
        shown.add(name)
        words = _describe_state(stages, work, args)
        cost = costs.get(by_name.get(name, Path()))
        if cost is not None:
            words += (
                f', {cost.gpu_hours:.1f} GPU hours, '
                f'{cost.disk / GB:.1f} GB a seed'
            )
        yield f'  {name}: {words}'
        yield f'    {_show_command(stages[0])}'


def _list_seeds(
    work: Path, args: argparse.Namespace
) -> list[tuple[int, Path]]:
    return [(seed, work / f'seed{seed}') for seed in args.seeds]


def _describe_state(
    stages: Sequence[Stage], work: Path, args: argparse.Namespace
) -> str:
    """Return for which seeds a stage is done, and for which it is to run."""
    states: dict[str, list[int]] = {}
    for stage, (seed, folder) in zip(
        stages, _list_seeds(work, args), strict=True
    ):
        state = 'done' if is_done(stage, folder) else 'to run'
        states.setdefault(state, []).append(seed)
    if len(args.seeds) == 1:
        return next(iter(states))
    return ', '.join(
        f'{state} for seed{"s" if len(seeds) > 1 else ""} '
        f'{", ".join(map(str, seeds))}'
        for state, seeds in states.items()
    )


def _show_command(stage: Stage) -> str:
    words = list(stage.command)
    if words[0] != 'bash':
        words[0] = 'python'
    base = f'{ROOT}/'
    return ' '.join(word.replace(base, '') for word in words)

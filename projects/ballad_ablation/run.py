"""BALLAD's phases and ablations on the toy world, for some seeds.

Each stage is a command that a user could type; it is printed, its log kept,
and it is skipped when an earlier run finished it.
"""

import argparse
from functools import partial
from pathlib import Path

from ltvl_mm.evaluation.accuracy_table import COLUMNS, format_accuracies
from ltvl_mm.utils.command_line import (
    add_study_options,
    make_parser,
    run_command,
)
from ltvl_mm.utils.io import atomic_write, read_json, write_json
from ltvl_mm.utils.stages import (
    Stage,
    run_study,
    score_stage,
    train_stage,
)
from ltvl_mm.utils.toy_stages import list_world_stages, set_toy_environment

# Config -> row of the table; Tables 4 and 5 of the paper and phase B.
ONE_STAGE = {
    'ballad_v_only': 'A, image tower only',
    'ballad_l_only': 'A, text tower only',
    'ballad_a': 'A, both towers',
    'ballad_joint': 'both towers and adapter jointly',
}
METHODS = {
    'clip_zero_shot': 'CLIP zero-shot',
    **ONE_STAGE,
    'ballad_b': 'A, then B',
}
EPOCHS = {name: 5 for name in ONE_STAGE} | {'ballad_b': 10}


def list_stages(work: Path, seed: int) -> list[Stage]:
    """Return the stages of one seed, each needing those before it."""
    stages = list_world_stages(work, seed)
    for config in EPOCHS:
        last = work / config / f'epoch_{EPOCHS[config]}.pth'
        stages += [
            train_stage(f'train {config}', config, work, seed),
            score_stage(f'test {config}', config, work, last),
        ]
    return stages


def summarize(work: Path, seeds: list[int]) -> str:
    """Write ``results.json`` and ``results.md``; return the latter's text."""
    rows = []
    for seed in seeds:
        for config, method in METHODS.items():
            metrics = read_json(work / f'seed{seed}' / config / 'metrics.json')
            rows.append(
                {
                    'method': method,
                    'seed': seed,
                    **{name: metrics[f'shot/{name}'] for name in COLUMNS},
                }
            )
    write_json(work / 'results.json', {'rows': rows})
    table = format_accuracies(rows)
    with atomic_write(work / 'results.md', 'w') as file:
        file.write(f'{table}\n')
    return f'{table}\n\nTable: {work / "results.json"} and results.md'


def build_parser() -> argparse.ArgumentParser:
    parser = make_parser(__doc__)
    add_study_options(parser, 'work_dirs/ballad_ablation')
    return parser


def main() -> None:
    args = build_parser().parse_args()
    work = Path(args.work_dir).resolve()
    run_study(
        work,
        args.seeds,
        list_stages,
        set_toy_environment,
        say=partial(print, flush=True),
    )
    print(summarize(work, args.seeds))


if __name__ == '__main__':
    run_command(main)

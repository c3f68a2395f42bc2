"""TACKLE and BALLAD to a table and a report, on the toy world, for some seeds.

Each stage is a command that a user could type; it is printed, its log kept,
and it is skipped when an earlier run finished it.
"""

import argparse
from functools import partial
from pathlib import Path

from summary import BALLAD, STUDENTS, list_models, summarise

from ltvl_mm.utils.command_line import (
    add_study_options,
    make_parser,
    run_command,
)
from ltvl_mm.utils.stages import (
    Stage,
    features_stage,
    python_stage,
    run_study,
    score_stage,
    train_stage,
)
from ltvl_mm.utils.toy_stages import (
    list_retrieval_stages,
    list_world_stages,
    set_toy_environment,
)


def list_stages(work: Path, seed: int, students: list[str]) -> list[Stage]:
    """Return the stages of one seed, each needing those before it."""
    world = work / 'world'
    stages = [
        *list_world_stages(work, seed),
        *list_retrieval_stages(work),
        python_stage(
            'draw retrieved images',
            'tools/visualization/contact_sheet.py',
            work / 'retrieved/manifest.parquet',
            f'--class-counts={world}/train.txt',
            '-o',
            work / 'retrieved.png',
        ),
    ]
    for config in ('ballad_a', *BALLAD):
        stages += _list_training(config, work, seed)
    for student in students:
        for config in (student, f'tackle_{student}'):
            stages += _list_training(config, work, seed)
        stages.append(
            python_stage(
                f'plot {student}',
                'tools/visualization/class_accuracy.py',
                f'without retrieval={work / student}/metrics.json',
                f'with retrieval={work}/tackle_{student}/metrics.json',
                f'--class-counts={world}/train.txt',
                '-o',
                work / f'accuracy_{student}.png',
            )
        )
    return stages


def _list_training(config: str, work: Path, seed: int) -> list[Stage]:
    """Train, test, and save what the report maps."""
    return [
        train_stage(f'train {config}', config, work, seed),
        score_stage(f'test {config}', config, work, work / config),
        features_stage(f'configs/toy/{config}.py', work / config, 'test'),
    ]


def make_report(work: Path, seeds: list[int], students: list[str]) -> Stage:
    """Return the stage that makes one page of all seeds."""
    models = list_models(students)
    return python_stage(
        'report',
        'tools/report.py',
        *(
            f'{model.method}={work}/seed{seed}/{model.config}'
            for model in models
            for seed in seeds
        ),
        '--title=Toy world',
        f'--baseline={STUDENTS[students[0]]}',
        f'--truth={work}/seed{seeds[0]}/world/web_truth.csv',
        f'--train-images={work}/seed{seeds[0]}/world',
        '-o',
        work / 'report.html',
    )


def build_parser() -> argparse.ArgumentParser:
    parser = make_parser(__doc__)
    add_study_options(parser, 'work_dirs/toy_benchmark')
    parser.add_argument(
        '--students',
        nargs='+',
        choices=STUDENTS,
        default=['rx'],
        help='models to train without and with retrieved images',
    )
    return parser


def main() -> None:
    args = build_parser().parse_args()
    work = Path(args.work_dir).resolve()
    run_study(
        work,
        args.seeds,
        partial(list_stages, students=args.students),
        set_toy_environment,
        say=partial(print, flush=True),
        last=[make_report(work, args.seeds, args.students)],
    )
    print(summarise(work, args.seeds, args.students))


if __name__ == '__main__':
    run_command(main)

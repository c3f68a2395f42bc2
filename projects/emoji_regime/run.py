"""Check that the emoji world behaves as ImageNet-LT does, for some seeds.

Trains the plain student and re-balancing methods without retrieved images,
tests the shipped CLIP zero-shot, and prints them beside the paper's rows. Each
stage is a command that a user could type; it is printed, its log kept, and it
is skipped when an earlier run finished it.
"""

import argparse
from functools import partial
from pathlib import Path

from summary import METHODS, ZERO_SHOT, summarize

from ltvl_mm.utils.command_line import (
    add_study_options,
    make_parser,
    run_command,
)
from ltvl_mm.utils.stages import Stage, python_stage, run_study


def list_stages(
    work: Path, seed: int, methods: list[str], world_options: list[str]
) -> list[Stage]:
    """Return the stages of one seed, each needing those before it."""
    world = work / 'world'
    stages = [
        python_stage(
            'make the emoji world',
            'tools/dataset_converters/make_emoji_world.py',
            world,
            f'--seed={seed}',
            *world_options,
        ),
        _test_stage(ZERO_SHOT, work, None),
    ]
    for method in methods:
        stages.append(
            python_stage(
                f'train {Path(method).name}',
                'tools/train.py',
                f'configs/emoji/{method}.py',
                '--work-dir',
                work / method,
                '--resume',
                '--cfg-options',
                f'randomness.seed={seed}',
                *_point_to_world(world, ('train', 'val', 'test')),
            )
        )
        stages.append(_test_stage(method, work, work / method))
    return stages


def _test_stage(method: str, work: Path, weights: Path | None) -> Stage:
    """Return the stage that writes ``metrics.json`` of a method.

    Args:
        method: Config below ``configs/emoji``.
        work: Folder of the seed.
        weights: Folder of the training; None for the config's own weights.
    """
    world = work / 'world'
    options = _point_to_world(world, ('val', 'test'))
    if method == ZERO_SHOT:
        options.append(f'model.head.class_names={world}/class_names.txt')
    return python_stage(
        f'test {Path(method).name}',
        'tools/test.py',
        f'configs/emoji/{method}.py',
        *([] if weights is None else [weights]),
        '--work-dir',
        work / method / 'test',
        '--out',
        work / method / 'metrics.json',
        '--out-item=metrics',
        '--cfg-options',
        *options,
    )


def _point_to_world(world: Path, splits: tuple[str, ...]) -> list[str]:
    """Return the options that make a config read the world of a seed."""
    return [
        *(f'{split}_dataloader.dataset.data_root={world}' for split in splits),
        *(
            f'{split}_evaluator.class_counts={world}/train.txt'
            for split in splits
            if split != 'train'
        ),
    ]


def build_parser() -> argparse.ArgumentParser:
    parser = make_parser(__doc__)
    add_study_options(parser, 'work_dirs/emoji_regime')
    parser.add_argument(
        '--methods',
        nargs='+',
        choices=METHODS,
        default=list(METHODS),
        help='methods to train (default: all)',
    )
    parser.add_argument(
        '--world',
        nargs='*',
        default=[],
        metavar='NAME=VALUE',
        help='options of make_emoji_world.py, such as train-most=200 '
        '(default: none)',
    )
    return parser


def main() -> None:
    args = build_parser().parse_args()
    work = Path(args.work_dir).resolve()
    run_study(
        work,
        args.seeds,
        partial(
            list_stages,
            methods=args.methods,
            world_options=[f'--{option}' for option in args.world],
        ),
        lambda folder: {},
        say=partial(print, flush=True),
    )
    print(summarize(work, args.seeds, args.methods))


if __name__ == '__main__':
    run_command(main)

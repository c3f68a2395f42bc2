"""All long-tail methods on the emoji world, without and with retrieved images.

Retrieved images are used in two ways: all alike, and more of them, of which
the improbable ones are left out. There is one student and one schedule, for
some seeds; CLIP without training, BALLAD, other students and ensembles with
CLIP are compared. Each stage is a command that a user could type in the folder
of its seed; it is printed, its log kept, and it is skipped when an earlier run
finished it. The tables are brought up to date after each stage.
"""

import argparse
import sys
from functools import partial
from pathlib import Path

from methods import METHODS, POST_HOC
from study_stages import list_stages
from summary import summarize
from toy_stages import PRELOAD, RECIPES

from ltvl_mm.utils.command_line import (
    add_jobs,
    add_study_options,
    make_parser,
    run_command,
)
from ltvl_mm.utils.stages import run_study


def build_parser() -> argparse.ArgumentParser:
    parser = make_parser(__doc__)
    parser.epilog = (
        f'Made of the plain student in any case: {", ".join(POST_HOC)}'
    )
    add_study_options(parser, 'work_dirs/long_tail_methods')
    add_jobs(parser)
    parser.add_argument(
        '--methods',
        nargs='+',
        choices=METHODS,
        default=list(METHODS),
        metavar='METHOD',
        help=f'methods to train, of {", ".join(METHODS)} (default: all)',
    )
    parser.add_argument(
        '--retrieval',
        nargs='+',
        choices=RECIPES,
        default=list(RECIPES),
        metavar='RECIPE',
        help='trainings without retrieved images (none), with all of them '
        'alike (plain), with more of those that CLIP is sure of (trusted) '
        '(default: all)',
    )
    parser.add_argument(
        '--world',
        nargs='*',
        default=[],
        metavar='NAME=VALUE',
        help='options of make_emoji_world.py, such as train-most=200 '
        '(default: none)',
    )
    parser.add_argument(
        '--tables-only',
        action='store_true',
        help='write the tables of what is done, run nothing',
    )
    return parser


def main() -> None:
    args = build_parser().parse_args()
    work = Path(args.work_dir).resolve()
    plan = partial(
        list_stages,
        methods=args.methods,
        recipes=args.retrieval,
        world_options=[f'--{option}' for option in args.world],
    )
    tables = partial(summarize, work)
    try:
        if not args.tables_only:
            run_study(
                work,
                args.seeds,
                plan,
                say=partial(print, flush=True),
                jobs=args.jobs,
                report=tables,
                preload=PRELOAD,
            )
    finally:
        # Also when a stage has failed, or of what an earlier run left.
        if work.is_dir():
            print(tables())
    sys.stdout.flush()


if __name__ == '__main__':
    run_command(main)

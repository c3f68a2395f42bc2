"""TACKLE and BALLAD on the emoji world, to a table and a report.

Each stage is a command that a user could type in the folder of its seed; it
is printed, its log kept, and it is skipped when an earlier run finished it.
"""

import argparse
from functools import partial
from pathlib import Path

from benchmark_stages import list_stages, make_report
from models import STUDENTS
from summary import summarize
from toy_stages import PRELOAD

from ltvl_mm.utils.command_line import (
    add_jobs,
    add_study_options,
    make_parser,
    run_command,
)
from ltvl_mm.utils.stages import run_study


def build_parser() -> argparse.ArgumentParser:
    parser = make_parser(__doc__)
    add_study_options(parser, 'work_dirs/toy_benchmark')
    add_jobs(parser)
    parser.add_argument(
        '--students',
        nargs='+',
        choices=STUDENTS,
        default=['r18'],
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
        say=partial(print, flush=True),
        jobs=args.jobs,
        last=[make_report(work, args.seeds, args.students)],
        preload=PRELOAD,
    )
    print(summarize(work, args.seeds, args.students))


if __name__ == '__main__':
    run_command(main)

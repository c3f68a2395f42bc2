"""Run a table of the paper, row by row, and set it beside the published one.

Each stage is a command that a user could type; it is printed, its log kept,
and it is skipped when an earlier run finished it. projects/long_tail_methods
runs the methods on the embedded emoji world.
"""

import argparse
import subprocess
import sys
from functools import partial
from pathlib import Path

from dry_run import describe_plan
from plan import list_stages, plan_rows
from prerequisites import describe_missing, find_leaks, find_missing
from rows import Row, load_rows, select_rows
from summary import collect_row, measure_hours, write_table

from ltvl_mm.utils.command_line import make_parser, run_command
from ltvl_mm.utils.stages import ROOT, run_study

NOT_HERE = 'not here yet'


def build_parser() -> argparse.ArgumentParser:
    parser = make_parser(__doc__)
    parser.add_argument(
        '--table', type=int, required=True, help='table of the paper, 1 to 7'
    )
    parser.add_argument(
        '--row',
        nargs='+',
        default=[],
        help='numbers, or words of method or backbone; rows of any of them '
        'are taken (default: all)',
    )
    parser.add_argument(
        '--gpus', type=int, default=1, help='GPUs per training'
    )
    parser.add_argument(
        '--seeds', type=int, nargs='+', default=[0], help='seeds to run'
    )
    parser.add_argument(
        '--work-dir',
        default='work_dirs/paper_tables/real',
        help='folder of the results',
    )
    parser.add_argument(
        '--dry-run', action='store_true', help='print the plan, run nothing'
    )
    return parser


def main() -> None:
    args = build_parser().parse_args()
    work = Path(args.work_dir).resolve()
    title, rows = load_rows(args.table)
    rows = select_rows(rows, args.row)
    here = [row for row in rows if row.is_here]
    for row in rows:
        if not row.is_here:
            print(f'row {row.number}, {row.name}: {NOT_HERE}')
    missing, leaks = find_missing(here), find_leaks(here)
    plan = partial(plan_rows, here, gpus=args.gpus)
    if args.dry_run:
        for line in describe_plan(here, work, args, missing, leaks):
            print(line)
        return
    for line in [*describe_missing(missing), *leaks]:
        print(line)
    if leaks:
        sys.exit(
            'nothing was started: repair these lists, see '
            'tools/dataset_converters/check_lists.py'
        )
    if missing:
        sys.exit('nothing was started; bring these files, or choose --row')
    run_study(
        work,
        args.seeds,
        plan,
        say=partial(print, flush=True),
    )
    found = [_report(row, work, args) for row in rows]
    print(
        write_table(work, args.table, title, found, commit=_read_commit()),
        f'\nTable: {work}/table{args.table}.json and .md',
        sep='\n',
    )


def _report(row: Row, work: Path, args: argparse.Namespace) -> dict:
    hours = {}
    for seed in args.seeds if row.is_here else ():
        folder = work / f'seed{seed}'
        stages = list_stages(row, folder, seed, gpus=args.gpus)
        hours[seed] = measure_hours(stages, folder)
    why = {} if row.is_here else {'why': NOT_HERE}
    return collect_row(row, work, hours) | why


def _read_commit() -> str:
    command = ['git', 'rev-parse', '--short', 'HEAD']
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
    return done.stdout.strip() or 'unknown'


if __name__ == '__main__':
    run_command(main)

"""Time --help of all commands; JSON in the end.

A table of processor seconds (user and system) and wall seconds: the minimum
of --repeats runs, each in a new process.
"""

import argparse
import json
import resource
import subprocess
import sys
import time
from pathlib import Path

from ltvl_mm.utils.command_line import make_parser, run_command

ROOT = Path(__file__).resolve().parents[2]


def build_parser() -> argparse.ArgumentParser:
    parser = make_parser(__doc__)
    parser.add_argument(
        '--repeats', type=int, default=3, help='runs of each command'
    )
    return parser


def main() -> None:
    args = build_parser().parse_args()
    times = {}
    print('| command | processor seconds | wall seconds |')
    print('| :-- | --: | --: |')
    for file in find_commands(ROOT):
        name = file.relative_to(ROOT).as_posix()
        runs = [time_help(file) for _ in range(args.repeats)]
        cpu, wall = (min(column) for column in zip(*runs, strict=True))
        times[name] = round(cpu, 3)
        print(f'| `{name}` | {cpu:.2f} | {wall:.2f} |', flush=True)
    print(json.dumps({'max': max(times.values()), 'processor_seconds': times}))


def find_commands(root: Path) -> list[Path]:
    """Return the Python files of a clone that are commands."""
    files = [*root.glob('tools/**/*.py'), *root.glob('projects/*/*.py')]
    return sorted(
        file
        for file in files
        if "__name__ == '__main__'" in file.read_text(encoding='utf-8')
    )


def time_help(file: Path) -> tuple[float, float]:
    """Return processor and wall seconds of one command's ``--help``."""
    before, start = measure_children(), time.perf_counter()
    subprocess.run(
        [sys.executable, file, '--help'],
        stdout=subprocess.DEVNULL,
        cwd=ROOT,
        check=True,
    )
    return measure_children() - before, time.perf_counter() - start


def measure_children() -> float:
    """Return the processor seconds of all processes that have ended."""
    usage = resource.getrusage(resource.RUSAGE_CHILDREN)
    return usage.ru_utime + usage.ru_stime


if __name__ == '__main__':
    run_command(main)

"""Time and memory of a data set with retrieved images at start.

Draws a target list and a manifest at random, then measures the start of
ClassBalancedSampler, the memory of a manifest row and the time to read an
annotation. The last line is JSON.
"""

import argparse

from benchmark_command import run_benchmark

from ltvl_mm.utils.command_line import make_parser, run_command


def build_parser() -> argparse.ArgumentParser:
    parser = make_parser(__doc__)
    parser.add_argument(
        '--target', type=int, default=115_846, help='labeled images'
    )
    parser.add_argument(
        '--retrieved', type=int, default=300_000, help='retrieved images'
    )
    return parser


def main() -> None:
    run_benchmark(build_parser(), 'dataset_start_runs')


if __name__ == '__main__':
    run_command(main)

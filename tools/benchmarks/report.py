"""Time and size of a report page as large as ImageNet-LT's.

1,000 classes, 50,000 test images, 100,000 retrieved ones, for some methods;
what it is made of is drawn at random first.
"""

import argparse

from benchmark_command import run_benchmark

from ltvl_mm.utils.command_line import make_parser, run_command


def build_parser() -> argparse.ArgumentParser:
    parser = make_parser(__doc__)
    parser.add_argument(
        '--methods', type=int, default=3, help='methods on the page'
    )
    parser.add_argument(
        '--images', type=int, default=50_000, help='test images'
    )
    parser.add_argument(
        '--retrieved', type=int, default=100_000, help='retrieved images'
    )
    return parser


def main() -> None:
    run_benchmark(build_parser(), 'report_runs')


if __name__ == '__main__':
    run_command(main)

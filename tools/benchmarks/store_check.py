"""Time verifying a store against scanning it; JSON in the end.

In one process on one thread, CPU seconds, medians of alternating runs.
verify: checksums and keys, as tools/retrieve.py checks them before its scan;
keys: without checksums (--no-verify); scan: exact retrieval of --nk images
for --k classes. verify_over_scan is to be at most 0.05.
"""

import argparse

from benchmark_command import add_repeats, run_benchmark

from ltvl_mm.utils.command_line import make_parser, run_command


def build_parser() -> argparse.ArgumentParser:
    parser = make_parser(__doc__)
    parser.add_argument('--n', type=float, default=4e6, help='rows')
    parser.add_argument('--k', type=int, default=1000, help='classes')
    parser.add_argument('--nk', type=int, default=100, help='images per class')
    add_repeats(parser)
    parser.add_argument(
        '--work-dir',
        default='work_dirs/retrieval_benchmark',
        help='folder of the store, 1.2 kB an image; made once',
    )
    return parser


def main() -> None:
    run_benchmark(build_parser(), 'store_check_runs', one_thread=True)


if __name__ == '__main__':
    run_command(main)

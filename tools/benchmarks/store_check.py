"""Time verifying a store against scanning it; JSON in the end.

In one process on one thread, CPU seconds, medians of alternating runs.
verify: checksums and keys, as tools/retrieve.py checks them before its scan;
keys: without checksums (--no-verify); scan: exact retrieval of --nk images
for --k classes. verify_over_scan is to be at most 0.05.
"""

import argparse
import os

from ltvl_mm.utils.command_line import make_parser, run_command


def build_parser() -> argparse.ArgumentParser:
    parser = make_parser(__doc__)
    parser.add_argument('--n', type=float, default=4e6, help='rows')
    parser.add_argument('--k', type=int, default=1000, help='classes')
    parser.add_argument('--nk', type=int, default=100, help='images per class')
    parser.add_argument(
        '--repeats', type=int, default=3, help='runs of each measurement'
    )
    parser.add_argument(
        '--work-dir',
        default='work_dirs/retrieval_benchmark',
        help='folder of the store, 1.2 kB an image; made once',
    )
    return parser


def main() -> None:
    args = build_parser().parse_args()
    from store_check_runs import run

    run(args)


if __name__ == '__main__':
    # Before numpy and torch are imported.
    os.environ.setdefault('OMP_NUM_THREADS', '1')
    run_command(main)

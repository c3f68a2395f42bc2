"""Share of a training that is neither model nor JPEG decoding.

Trains configs/tackle_rx50.py on drawn JPEGs, loaded in the training process
on one thread, and measures CPU seconds: of the model's step (normalization,
forward, backward and optimizer), of reading and decoding JPEGs, of the other
transforms, and of the rest, which is sampling, collating, hooks and logging.
JSON in the end; overhead is the share of transforms and rest.
"""

import argparse

from benchmark_command import run_benchmark

from ltvl_mm.utils.command_line import make_parser, run_command


def build_parser() -> argparse.ArgumentParser:
    parser = make_parser(__doc__)
    parser.add_argument(
        '--iterations', type=int, default=100, help='measured iterations'
    )
    parser.add_argument(
        '--batch-size', type=int, default=8, help='images of an iteration'
    )
    parser.add_argument(
        '--size',
        type=int,
        default=64,
        help='size of JPEGs and crops in pixels',
    )
    return parser


def main() -> None:
    run_benchmark(build_parser(), 'training_overhead_runs', one_thread=True)


if __name__ == '__main__':
    run_command(main)

"""Time --engine ray against the local engine; JSON in the end.

Random JPEGs in tars, random weights, a Ray cluster of this machine, whose
start is timed apart. Both engines embed few tars and then three times as
many, in turn. embedding_cpu_ratio compares the CPU seconds of the additional
images, of all processes; embedding_start_cpu_s is what a run on Ray takes
besides, once. retrieval_cpu_ratio compares searches of synthetic images in
units of 50,000, by workers that have started.
"""

import argparse

from benchmark_command import run_benchmark

from ltvl_mm.utils.command_line import make_parser, run_command

SIZES = {
    'images': (96, 'images of the small embedding'),
    'tars': (4, 'tars of the small embedding'),
    'rows': (400_000, 'images of the searched store'),
    'classes': (200, 'classes of the retrieval'),
    'batch-size': (16, 'images encoded at a time'),
    'repeats': (3, 'runs of each measurement'),
}


def build_parser() -> argparse.ArgumentParser:
    parser = make_parser(__doc__)
    parser.add_argument(
        '--arch', default='ViT-B-32-quickgelu', help='open_clip architecture'
    )
    for name, (default, text) in SIZES.items():
        parser.add_argument(f'--{name}', type=int, default=default, help=text)
    return parser


def main() -> None:
    run_benchmark(build_parser(), 'ray_overhead_runs')


if __name__ == '__main__':
    run_command(main)

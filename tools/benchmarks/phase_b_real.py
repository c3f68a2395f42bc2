"""Time BALLAD's phase B at real shapes, from images and from cached features.

RN50 and ViT-B/16 at 224 px with random weights, with batches and pipelines of
the leaf configs, in one process on one thread. The run from images is measured
on --images drawn JPEGs of 500 x 375 pixels and extrapolated linearly to an
epoch of ImageNet-LT, of 115,712 images; the run from cached features, which
are random numbers here, is measured over the whole epoch. To make the cache is
not counted: a view of it takes about as long as an epoch from images.

JSON in the end: CPU milliseconds an image of both runs, hours of an epoch from
images (extrapolated) and seconds of one from features, and speedup, their
ratio; phase_b_speedup_real is the smallest ratio.
"""

import argparse

from benchmark_command import run_benchmark

from ltvl_mm.utils.command_line import make_parser, run_command


def build_parser() -> argparse.ArgumentParser:
    parser = make_parser(__doc__)
    parser.add_argument(
        '--images',
        type=int,
        default=1000,
        help='images that are encoded, in whole batches of 64',
    )
    parser.add_argument(
        '--classes', type=int, default=1000, help='classes of the text prompts'
    )
    parser.add_argument(
        '--models',
        nargs='+',
        choices=['rn50', 'vit-b16'],
        default=['rn50', 'vit-b16'],
        help='image encoders',
    )
    return parser


def main() -> None:
    run_benchmark(build_parser(), 'phase_b_real_runs', one_thread=True)


if __name__ == '__main__':
    run_command(main)

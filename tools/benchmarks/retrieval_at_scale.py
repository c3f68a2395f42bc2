"""Measure peak memory of retrieval, decontamination and manifests at scale.

Each stage runs in a process of its own, on data drawn at random: the
retrieval of --k classes x --nk images with twice as many candidates, the
decontamination of --n candidates against as many held-out images, and a
manifest of --rows rows that is written, read and made a training set. The
defaults are a tenth of 8,142 classes x 1,000 images, of 10 million rows,
and of 1 million x 1 million images. The last line is JSON: seconds, peak
resident MB, and peak MB above that of the imports.
"""

import argparse

from benchmark_command import run_benchmark

from ltvl_mm.utils.command_line import make_parser, run_command

STAGES = ('retrieve', 'decontaminate', 'save', 'load', 'dataset')


def build_parser() -> argparse.ArgumentParser:
    parser = make_parser(__doc__)
    parser.add_argument('--k', type=int, default=814, help='classes')
    parser.add_argument(
        '--nk', type=int, default=1000, help='images per class'
    )
    parser.add_argument(
        '--images', type=float, default=1e6, help='images of the collection'
    )
    parser.add_argument(
        '--n',
        type=float,
        default=1e5,
        help='candidates, and held-out images, of the decontamination',
    )
    parser.add_argument(
        '--rows', type=float, default=1e6, help='rows of the manifest'
    )
    parser.add_argument(
        '--stages',
        nargs='+',
        choices=STAGES,
        default=STAGES,
        help='stages to measure; load and dataset need save',
    )
    parser.add_argument(
        '--work-dir',
        default='work_dirs/retrieval_at_scale',
        help='folder of the data, 1.3 kB an image; made once',
    )
    parser.add_argument('--stage', choices=STAGES, help=argparse.SUPPRESS)
    return parser


def main() -> None:
    run_benchmark(build_parser(), 'retrieval_at_scale_runs', one_thread=True)


if __name__ == '__main__':
    run_command(main)

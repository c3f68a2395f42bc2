"""Time embedding against the bare encoder on ready batches; JSON in the end.

Random JPEGs in tars, random weights. What tools/embed_images.py does from
tar to finished store, its start not counted, alternates with the image tower
alone on as many images in batches that lie in memory. embedding_over_encoder
compares images/s; on a CPU, where decoding takes its time from the encoder or
hides on an idle core, images per second of wall or of CPU, whichever is
worse. host_ms_per_image is what reading, decoding and hashing cost one core.
"""

import argparse
import os

from benchmark_command import add_repeats, run_benchmark
from sizes import Size, add_sizes

from ltvl_mm.utils.command_line import add_device, make_parser, run_command

SIZES = {
    'images': Size(40_000, 64, 'images to embed'),
    'batch-size': Size(256, 16, 'images encoded at a time'),
    'tars': Size(16, 2, 'tars that hold the images'),
    'workers': Size(os.cpu_count() or 1, 1, 'processes that read and decode'),
}


def build_parser() -> argparse.ArgumentParser:
    parser = make_parser(__doc__)
    add_device(parser)
    parser.add_argument(
        '--arch', default='ViT-B-16-quickgelu', help='open_clip architecture'
    )
    parser.add_argument(
        '--amp', action='store_true', help='run the image tower in bfloat16'
    )
    parser.add_argument(
        '--compile', action='store_true', help='compile the image tower'
    )
    add_sizes(parser, SIZES)
    add_repeats(parser)
    return parser


def main() -> None:
    run_benchmark(build_parser(), 'embedding_runs', SIZES)


if __name__ == '__main__':
    run_command(main)

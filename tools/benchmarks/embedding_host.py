"""Compare reading and preprocessing with clip-retrieval; JSON in the end.

Random JPEGs of three sizes in tars with captions and records, as img2dataset
writes them. From tar to batch, our reader and preprocessing alternate, in one
process without workers, with clip-retrieval's own reader and open_clip's
transform. ours_over_clip_retrieval compares CPU time an image at each size.
Ours also decodes captions and records, hashes the file and the picture, and
returns 8-bit batches: normalize_ms_per_image is what the encoder adds where it
runs on a CPU.

clip-retrieval and webdataset are read from a virtual environment of their own
(--clip-retrieval), which is made if it does not exist; torch, Pillow and
open_clip are ours for both. Without it, ours is compared with tarfile and
open_clip's transform alone (ours_over_open_clip).
"""

import argparse
from pathlib import Path

from ltvl_mm.utils.command_line import make_parser, run_command


def build_parser() -> argparse.ArgumentParser:
    parser = make_parser(__doc__)
    parser.add_argument(
        '--clip-retrieval',
        type=Path,
        metavar='FOLDER',
        help='virtual environment of clip-retrieval; made with pip if it '
        "does not exist (default: none; open_clip's transform and tarfile are "
        'compared with)',
    )
    parser.add_argument(
        '--arch', default='ViT-B-16-quickgelu', help='open_clip architecture'
    )
    parser.add_argument(
        '--pixels',
        type=int,
        default=60_000_000,
        help='pixels to read at each size (default: %(default)s)',
    )
    parser.add_argument(
        '--batch-size', type=int, default=32, help='images of a batch'
    )
    parser.add_argument(
        '--repeats', type=int, default=3, help='runs of each measurement'
    )
    return parser


def main() -> None:
    args = build_parser().parse_args()
    from embedding_host_runs import run

    run(args)


if __name__ == '__main__':
    run_command(main)

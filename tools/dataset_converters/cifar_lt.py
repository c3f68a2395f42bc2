"""CIFAR-10-LT or CIFAR-100-LT (exponential; Cui et al. 2019, Cao et al. 2019).

Writes the images as PNG files, CIFAR<K>_LT_{train,test}.txt, class_names.txt
and class_counts.json below root. All 10,000 test images stay. There are no
validation images, and results on it are of the last epoch; --val-per-class
holds some back from the training images before the tail is cut, and so makes
the head smaller than in the papers.
"""

import argparse
import sys
from pathlib import Path

from ltvl_mm.utils.command_line import make_parser, run_command


def build_parser() -> argparse.ArgumentParser:
    parser = make_parser(__doc__)
    parser.add_argument(
        'root', type=Path, help='folder to write to, e.g. data/cifar100_lt'
    )
    parser.add_argument(
        '--classes',
        type=int,
        choices=(10, 100),
        default=100,
        help='CIFAR-10 or CIFAR-100',
    )
    parser.add_argument(
        '--ratio',
        type=float,
        default=100,
        help='images of the largest over those of the smallest class',
    )
    parser.add_argument(
        '--val-per-class',
        type=int,
        default=0,
        help='training images of a class to hold back',
    )
    parser.add_argument(
        '--seed', type=int, default=0, help='seed of the random choice'
    )
    parser.add_argument(
        '--raw', default='data/cifar', help="folder of CIFAR's own files"
    )
    parser.add_argument(
        '--download',
        action='store_true',
        help="download CIFAR's own files with torchvision",
    )
    return parser


def main() -> None:
    args = build_parser().parse_args()
    import numpy as np
    from torchvision import datasets

    from ltvl_mm.datasets.image_files import find_missing_images
    from ltvl_mm.datasets.long_tail_files import write_cifar

    read = {10: datasets.CIFAR10, 100: datasets.CIFAR100}[args.classes]
    try:
        parts = [
            read(args.raw, train=train, download=args.download)
            for train in (True, False)
        ]
    except RuntimeError as error:  # torchvision: not found or corrupted
        sys.exit(f'{args.raw}: {error} (here: --download)')
    lists = write_cifar(
        args.root,
        *parts,
        ratio=args.ratio,
        seed=args.seed,
        val_per_class=args.val_per_class,
    )
    paths = [path for images in lists.values() for path in images.paths]
    missing = find_missing_images(args.root, paths)
    counts = np.bincount(lists['train'].labels)
    print(
        f'CIFAR-{args.classes}-LT: {counts.sum():,} training images, '
        f'{counts.max()} to {counts.min()} per class; {len(missing):,} of '
        f'{len(paths):,} images are missing.'
    )
    if missing:
        sys.exit(f'such as {missing[0]}: delete {args.root}, then repeat')


if __name__ == '__main__':
    run_command(main)

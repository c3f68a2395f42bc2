"""A long-tailed train list, and balanced val and test lists, of any images.

The images stay where they are. Which classes are rare: those with the fewest
images, or --order label (class 0 is the largest) or random.
"""

import argparse
from pathlib import Path

import numpy as np

from ltvl_mm.datasets.long_tail_profile import SHAPES, make_profile
from ltvl_mm.datasets.published_lists import write_lists
from ltvl_mm.datasets.split_check import merge_repeats, show
from ltvl_mm.structures.class_counts import GROUPS, group_classes
from ltvl_mm.structures.image_list import ImageList
from ltvl_mm.utils.command_line import make_parser, run_command
from ltvl_mm.utils.lock import locked_folder
from ltvl_mm.utils.rng import make_generator


def build_parser() -> argparse.ArgumentParser:
    parser = make_parser(__doc__)
    parser.add_argument(
        'source',
        help='folder with a folder per class, or list of path label lines',
    )
    parser.add_argument('out', type=Path, help='folder for the lists')
    parser.add_argument(
        '--class-names',
        help='file, one name per line; a list needs it (default: names of the '
        'folders)',
    )
    parser.add_argument(
        '--root',
        type=Path,
        help="folder of the images in a list (default: the list's own)",
    )
    parser.add_argument(
        '--check-content',
        action='store_true',
        help='merge files with the same bytes, too; links are always merged',
    )
    parser.add_argument(
        '--shape',
        choices=(*SHAPES, 'keep'),
        default='exponential',
        help='profile of the training images; keep: the images are '
        'long-tailed already, so train takes all that val and test do not',
    )
    parser.add_argument(
        '--ratio',
        type=float,
        default=100,
        help='images of the largest over those of the smallest class',
    )
    parser.add_argument(
        '--alpha', type=float, default=6, help='exponent of --shape pareto'
    )
    parser.add_argument(
        '--most',
        type=int,
        help='images of the largest class (default: all that fit)',
    )
    parser.add_argument(
        '--val-per-class', type=int, default=0, help='val images of each class'
    )
    parser.add_argument(
        '--test-per-class',
        type=int,
        default=0,
        help='test images of each class',
    )
    parser.add_argument(
        '--order',
        choices=('size', 'label', 'random'),
        default='size',
        help='order of the classes from frequent to rare',
    )
    parser.add_argument(
        '--seed', type=int, default=0, help='seed of the random choice'
    )
    return parser


def merge(images: ImageList, args: argparse.Namespace) -> ImageList:
    """Return each image once, so that no two splits can share it."""
    source = Path(args.source)
    root = args.root or (source if source.is_dir() else source.parent)
    merged, report = merge_repeats(
        images, root, check_content=args.check_content
    )
    if report.repeats:
        print(
            f'{len(report.repeats):,} repeated images are left out: '
            f'{show(report.repeats)}'
        )
    if report.missing:
        print(report.describe_missing(root))
    return merged


def main() -> None:
    args = build_parser().parse_args()
    from ltvl_mm.datasets.long_tail_files import (
        cut_long_tail,
        read_labeled_images,
    )

    images, names = read_labeled_images(args.source, args.class_names)
    images = merge(images, args)
    ranks = {
        'size': None,
        'label': np.arange(len(names)),
        'random': make_generator(args.seed, 3).permutation(len(names)),
    }[args.order]
    profile = (
        None
        if args.shape == 'keep'
        else make_profile(args.shape, len(names), args.ratio, alpha=args.alpha)
    )
    lists = cut_long_tail(
        images,
        profile,
        seed=args.seed,
        most=args.most,
        val_per_class=args.val_per_class,
        test_per_class=args.test_per_class,
        ranks=ranks,
    )
    files = {f'{split}.txt': part for split, part in lists.items()}
    with locked_folder(args.out):
        written = write_lists(args.out, files, names)
    for split, part in lists.items():
        print(f'{split}: {len(part):,} images')
    counts = np.bincount(lists['train'].labels)
    groups = group_classes(counts)
    print(
        f'{counts.max()} to {counts.min()} training images per class; '
        + '/'.join(str((groups == group).sum()) for group in GROUPS)
        + ' many/medium/few'
    )
    done = 'nothing to do: all files are up to date'
    print('Written:', ', '.join(written) or done)


if __name__ == '__main__':
    run_command(main)

"""Check lists of images: their form, and that no image is in two splits.

The same image in two lists, or with two labels, is an error: by path, by file
(links) if the images exist below --root, and by content with --check-content.
--fix rewrites lists that mmpretrain would read differently (byte order mark,
comments, blank lines, tabs or several blanks before the label); a copy of the
old file is kept as NAME.orig.
"""

import argparse
import shutil
import sys
from pathlib import Path

import numpy as np

from ltvl_mm.datasets.config_list_check import (
    check_plain_list,
    check_plain_names,
)
from ltvl_mm.datasets.split_check import compare_splits, show
from ltvl_mm.structures.class_names import (
    load_class_names,
    write_class_names,
)
from ltvl_mm.structures.image_list import (
    ImageList,
    read_image_list,
    write_image_list,
)
from ltvl_mm.utils.command_line import make_parser, run_command
from ltvl_mm.utils.lock import locked_file


def build_parser() -> argparse.ArgumentParser:
    parser = make_parser(__doc__)
    parser.add_argument(
        'lists', nargs='+', type=Path, help='such as train.txt val.txt'
    )
    parser.add_argument(
        '--root',
        type=Path,
        help='folder of the images (default: none; no files)',
    )
    parser.add_argument(
        '--class-names',
        type=Path,
        help='file, one name per line (default: none)',
    )
    parser.add_argument(
        '--check-content',
        action='store_true',
        help='also compare the bytes of files of equal size; needs --root',
    )
    parser.add_argument(
        '--fix', action='store_true', help='rewrite lists of another form'
    )
    return parser


def parse_args() -> argparse.Namespace:
    parser = build_parser()
    args = parser.parse_args()
    if args.check_content and args.root is None:
        parser.error('--check-content needs --root, the folder of the images')
    if len({file.resolve() for file in args.lists}) < len(args.lists):
        parser.error('a list is given twice; name each list once')
    return args


def main() -> None:
    args = parse_args()
    faults = check_form(args)
    names = args.class_names and load_class_names(args.class_names)
    lists = {
        str(file): read_image_list(
            file, num_classes=len(names) if names else None
        )
        for file in args.lists
    }
    faults += check_splits(lists, args)
    for fault in faults:
        print(fault)
    sys.exit(1 if faults else 0)


def check_form(args: argparse.Namespace) -> list[str]:
    """Return what mmpretrain would read differently, or repair it."""
    faults = []
    checks = [(file, check_plain_list) for file in args.lists]
    if args.class_names:
        checks.append((args.class_names, check_plain_names))
    for file, check in checks:
        try:
            check(file)
        except ValueError as error:
            if not args.fix:
                faults.append(str(error))
                continue
            rewrite(file, is_names=check is check_plain_names)
            check(file)
            print(f'{file}: rewritten; the old file is {file}.orig')
    return faults


def rewrite(file: Path, *, is_names: bool) -> None:
    """Write a list in plain form; keep the first old file."""
    with locked_file(file):
        content = load_class_names(file) if is_names else read_image_list(file)
        old = file.with_name(f'{file.name}.orig')
        if not old.exists():
            shutil.copy2(file, old)
        write = write_class_names if is_names else write_image_list
        write(file, content)


def check_splits(
    lists: dict[str, ImageList], args: argparse.Namespace
) -> list[str]:
    """Print what the lists hold; return conflicts and leaks."""
    for name, images in lists.items():
        counts = np.bincount(images.labels)
        print(
            f'{name}: {len(images):,} images, {np.count_nonzero(counts):,} '
            f'classes, labels {images.labels.min()} to {images.labels.max()}'
        )
    report = compare_splits(
        lists,
        dict.fromkeys(lists, args.root),
        check_content=args.check_content,
    )
    if report.missing:
        print(report.describe_missing(args.root))
    if report.repeats:
        print(
            f'{len(report.repeats):,} images are listed twice in one list, '
            f'with one label: {show(report.repeats)}'
        )
    print(
        f'{len(report.conflicts):,} images with two labels, '
        f'{len(report.leaks):,} images in two lists'
    )
    faults = []
    if report.conflicts:
        faults.append(f'two labels: {show(report.conflicts)}')
    if report.leaks:
        faults.append(f'two lists: {show(report.leaks)}')
    return faults


if __name__ == '__main__':
    run_command(main)

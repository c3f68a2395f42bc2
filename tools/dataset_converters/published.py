"""What the converters of published lists have in common."""

import argparse
import sys
from collections.abc import Callable
from pathlib import Path

from ltvl_mm.datasets.image_files import find_missing_images
from ltvl_mm.datasets.published_lists import (
    Lists,
    fit_lists,
    read_lists,
    write_lists,
)
from ltvl_mm.datasets.published_splits import (
    SPLITS,
    PublishedSplits,
    check_lists,
)
from ltvl_mm.datasets.split_check import compare_splits, show
from ltvl_mm.structures.class_names import load_class_names
from ltvl_mm.structures.image_list import shorten_paths
from ltvl_mm.utils.command_line import make_parser
from ltvl_mm.utils.lock import locked_folder

NAMED = 20  # of the missing images


def make_lists_parser(text: str | None) -> argparse.ArgumentParser:
    """Return the parser of a converter; ``text`` describes it."""
    parser = make_parser(text)
    parser.add_argument(
        'root', type=Path, help='folder of the images; the lists go there'
    )
    parser.add_argument(
        '--lists',
        type=Path,
        help='folder of the published lists (default: root)',
    )
    parser.add_argument(
        '--class-names',
        help='file, one name per line in label order (default: '
        'class_names.txt of root, else those of the data set)',
    )
    parser.add_argument(
        '--prefix-map',
        nargs='+',
        default=[],
        metavar='OLD=NEW',
        help='start of paths in the lists and below root (default: found out '
        'from the images)',
    )
    parser.add_argument(
        '--no-image-check',
        action='store_true',
        help='write the lists as they are, whether the images exist or not',
    )
    parser.add_argument(
        '--check-content',
        action='store_true',
        help='compare the bytes of images of equal size between splits',
    )
    parser.add_argument(
        '--verify', action='store_true', help='check what is there, no more'
    )
    return parser


def convert(
    key: str,
    args: argparse.Namespace,
    *,
    name_classes: Callable[[PublishedSplits, Lists], tuple[str, ...]],
    read: Callable[[PublishedSplits, Path], Lists] = read_lists,
) -> None:
    """Write the lists of a data set below its root, or verify them.

    Exits with a sentence if they are not what was published or an image is
    in two splits, and with 1 if images are missing.
    """
    splits = SPLITS[key]
    try:
        if args.verify:
            lists = read_lists(splits, args.root)
            print(check_lists(splits, lists))
            _compare(lists, args)
            _load_names(splits, args.root / 'class_names.txt')
        else:
            with locked_folder(args.root):
                lists = _write(splits, args, name_classes, read)
    except ValueError as error:
        sys.exit(str(error))
    if args.no_image_check:
        print('The images were not looked for.')
        return
    paths = [path for images in lists.values() for path in images.paths]
    missing = find_missing_images(args.root, paths)
    print(f'{len(missing):,} of {len(paths):,} images are missing.')
    if missing:
        print(*missing[:NAMED], sep='\n')
        if len(missing) > NAMED:
            print(f'... and {len(missing) - NAMED:,} more')
        sys.exit(1)


def _write(
    splits: PublishedSplits,
    args: argparse.Namespace,
    name_classes: Callable,
    read: Callable,
) -> Lists:
    lists = read(splits, args.lists or args.root)
    print(check_lists(splits, lists))
    if not args.prefix_map:
        lists = {
            split: shorten_paths(images, args.root)
            for split, images in lists.items()
        }
    kept = args.root / 'class_names.txt'
    if args.class_names or kept.exists():
        names = _load_names(splits, args.class_names or kept)
    else:
        names = name_classes(splits, lists)
    prefixes = dict(_split_pair(pair) for pair in args.prefix_map)
    if prefixes or not args.no_image_check:
        lists, message = fit_lists(splits, lists, args.root, prefixes)
        print(message)
    _compare(lists, args)
    files = {splits.name_list(split): lists[split] for split in lists}
    written = write_lists(args.root, files, names)
    done = 'nothing to do: all files are up to date'
    print('Written:', ', '.join(written) or done)
    return lists


def _compare(lists: Lists, args: argparse.Namespace) -> None:
    """Exit with a sentence if an image is in two splits or has two labels."""
    root = None if args.no_image_check else args.root
    report = compare_splits(
        lists, dict.fromkeys(lists, root), check_content=args.check_content
    )
    report.raise_if_wrong()
    if report.repeats:
        print(
            f'{len(report.repeats):,} images are listed twice in one split: '
            f'{show(report.repeats)}'
        )


def _load_names(splits: PublishedSplits, file: Path) -> tuple[str, ...]:
    names = load_class_names(file)
    if len(names) != splits.num_classes:
        raise ValueError(
            f'{file} has {len(names)} names, expected {splits.num_classes}'
        )
    return names


def _split_pair(pair: str) -> tuple[str, str]:
    old, mark, new = pair.partition('=')
    if not mark:
        raise ValueError(f'--prefix-map must be OLD=NEW, got {pair!r}')
    return old, new

"""iNaturalist 2018: 437,513 training images of 8142 classes.

Bring: train_val2018/ below root, and as --lists either the official
train2018.json and val2018.json (https://github.com/visipedia/inat_comp/tree/
master/2018) or the published iNaturalist18_{train,val}.txt. The names are read
from categories.json beside them, or from --class-names.
Writes: the two lists with paths below root, class_names.txt,
class_counts.json. There is no test list: papers test on val.
"""

import argparse
from pathlib import Path

from published import convert, make_lists_parser

from ltvl_mm.datasets.published_lists import (
    Lists,
    read_inat_json,
    read_inat_names,
    read_lists,
)
from ltvl_mm.datasets.published_splits import PublishedSplits
from ltvl_mm.utils.command_line import run_command


def read(splits: PublishedSplits, folder: Path) -> Lists:
    if not (folder / 'train2018.json').exists():
        return read_lists(splits, folder)
    return {
        split: read_inat_json(folder / f'{split}2018.json')
        for split in splits.sizes
    }


def build_parser() -> argparse.ArgumentParser:
    return make_lists_parser(__doc__)


def main() -> None:
    args = build_parser().parse_args()
    names = (args.lists or args.root) / 'categories.json'
    convert(
        'inat18',
        args,
        name_classes=lambda *_: read_inat_names(names),
        read=read,
    )


if __name__ == '__main__':
    run_command(main)

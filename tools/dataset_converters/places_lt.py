"""Places-LT: 62,500 training images of 365 classes (Liu et al. 2019).

Bring: Places365 (standard or small easy layout) below root, and the published
Places_LT_{train,val,test}.txt (OLTR, https://liuziwei7.github.io/projects/
LongTail.html, or any project that carries them). Papers write 184.5K training
images; the list that all of them train on has 62,500.
Writes: the three lists with paths below root, class_names.txt (the folders in
words), class_counts.json.
"""

import argparse

from published import convert, make_lists_parser

from ltvl_mm.datasets.published_lists import name_classes_by_folder
from ltvl_mm.utils.command_line import run_command


def build_parser() -> argparse.ArgumentParser:
    return make_lists_parser(__doc__)


def main() -> None:
    convert(
        'places_lt',
        build_parser().parse_args(),
        name_classes=name_classes_by_folder,
    )


if __name__ == '__main__':
    run_command(main)

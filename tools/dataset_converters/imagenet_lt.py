"""ImageNet-LT: 115,846 training images of 1000 classes (Liu et al. 2019).

Bring: ImageNet-1k's train/ and val/ below root, and the published
ImageNet_LT_{train,val,test}.txt (OLTR, https://liuziwei7.github.io/
projects/LongTail.html, or any project that carries them).
Writes: the three lists with paths below root, class_names.txt (those that
CLIP's prompts use), class_counts.json.
"""

import argparse

from published import convert, make_lists_parser

from ltvl_mm.utils.command_line import run_command


def build_parser() -> argparse.ArgumentParser:
    return make_lists_parser(__doc__)


def main() -> None:
    args = build_parser().parse_args()
    from ltvl_mm.clip.towers import IMAGENET_NAMES

    convert(
        'imagenet_lt',
        args,
        name_classes=lambda *_: tuple(IMAGENET_NAMES),
    )


if __name__ == '__main__':
    run_command(main)

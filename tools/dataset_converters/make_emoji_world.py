"""Write the emoji world: target lists and web images."""

import argparse

from ltvl_mm.datasets.emoji_world_spec import EmojiWorldSize
from ltvl_mm.utils.command_line import make_parser, run_command

SIZES = {
    'seed': 'seed of the world',
    'classes': 'number of classes, at most 96',
    'train_most': 'training images of the most frequent class',
    'train_fewest': 'training images of the rarest class',
    'train_decay': 'power of the rank in the long tail; 1 is exponential',
    'val_per_class': 'val images of each class',
    'test_per_class': 'test images of each class',
    'web': 'web images',
    'web_per_tar': 'web images of a tar',
}


def build_parser() -> argparse.ArgumentParser:
    parser = make_parser(__doc__)
    parser.add_argument('root', help='folder to write to, e.g. data/emoji')
    parser.add_argument(
        '--workers', type=int, default=2, help='processes that draw'
    )
    for field, text in SIZES.items():
        default = getattr(EmojiWorldSize, field)
        parser.add_argument(
            f'--{field.replace("_", "-")}',
            type=type(default),
            default=default,
            help=text,
        )
    return parser


def main() -> None:
    args = vars(build_parser().parse_args())
    from ltvl_mm.datasets.emoji_world_files import write_emoji_world

    root, workers = args.pop('root'), args.pop('workers')
    write_emoji_world(root, EmojiWorldSize(**args), workers=workers)


if __name__ == '__main__':
    run_command(main)

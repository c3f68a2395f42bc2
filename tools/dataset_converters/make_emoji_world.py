"""Write the emoji world: target lists and web images."""

import argparse
from dataclasses import fields

from ltvl_mm.datasets.emoji_world_spec import EmojiWorldSize
from ltvl_mm.utils.command_line import make_parser, run_command


def build_parser() -> argparse.ArgumentParser:
    parser = make_parser(__doc__)
    parser.add_argument('root', help='folder to write to, e.g. data/emoji')
    parser.add_argument(
        '--workers', type=int, default=2, help='processes that draw'
    )
    for field in fields(EmojiWorldSize):
        words = field.name.replace('_', ' ')
        parser.add_argument(
            f'--{field.name.replace("_", "-")}',
            type=type(field.default),
            default=field.default,
            help=f'{words}; see ltvl_mm.datasets.EmojiWorldSize',
        )
    return parser


def main() -> None:
    args = vars(build_parser().parse_args())
    from ltvl_mm.datasets.emoji_world_files import write_emoji_world

    root, workers = args.pop('root'), args.pop('workers')
    write_emoji_world(root, EmojiWorldSize(**args), workers=workers)


if __name__ == '__main__':
    run_command(main)

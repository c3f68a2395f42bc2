"""Write the emoji world: target lists and web images."""

import argparse
from dataclasses import fields

from ltvl_mm.datasets.emoji_world_files import write_emoji_world
from ltvl_mm.datasets.emoji_world_spec import EmojiWorldSize
from ltvl_mm.utils.command_line import run_command


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument('root', help='folder to write to, e.g. data/emoji')
    parser.add_argument('--workers', type=int, default=2)
    for field in fields(EmojiWorldSize):
        parser.add_argument(
            f'--{field.name.replace("_", "-")}',
            type=type(field.default),
            default=field.default,
        )
    args = vars(parser.parse_args())
    root, workers = args.pop('root'), args.pop('workers')
    write_emoji_world(root, EmojiWorldSize(**args), workers=workers)


if __name__ == '__main__':
    run_command(main)

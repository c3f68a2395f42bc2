"""Write a config as one file that new-style configs can inherit.

mmengine lets a config with ``read_base()`` inherit only files without
``_base_``. OUT holds the whole config, environment variables filled in:

    from mmengine.config import read_base

    with read_base():
        from .rx50_flat import *
"""

import argparse
from pathlib import Path

from ltvl_mm.utils.command_line import (
    add_config_options,
    make_parser,
    run_command,
)


def build_parser() -> argparse.ArgumentParser:
    parser = make_parser(__doc__)
    parser.add_argument('config', help='config file')
    parser.add_argument('out', type=Path, help='.py file to write')
    add_config_options(parser)
    return parser


def main() -> None:
    args = build_parser().parse_args()
    if args.out.suffix != '.py' or not args.out.stem.isidentifier():
        raise ValueError(
            f'{args.out} cannot be imported by a config; expected a name such '
            f'as rx50_flat.py'
        )
    from mmengine.config import Config

    from ltvl_mm.utils.io import atomic_write

    cfg = Config.fromfile(args.config)
    cfg.merge_from_dict(args.cfg_options or {})
    with atomic_write(args.out, 'w') as file:
        file.write(cfg.pretty_text)
    print(args.out)


if __name__ == '__main__':
    run_command(main)

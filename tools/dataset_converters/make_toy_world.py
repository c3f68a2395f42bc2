"""Write the toy world: target lists, caption corpus, web memory."""

import argparse

from ltvl_mm.datasets.toy_world_files import write_toy_world
from ltvl_mm.datasets.toy_world_spec import ToyWorldSize
from ltvl_mm.utils.command_line import run_command


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument('root', help='folder to write to, e.g. data/toy')
    parser.add_argument('--seed', type=int, default=0)
    parser.add_argument('--workers', type=int, default=2)
    for name in (
        'train-most',
        'train-fewest',
        'val-per-class',
        'test-per-class',
        'corpus',
        'web',
        'web-per-tar',
    ):
        field = name.replace('-', '_')
        parser.add_argument(
            f'--{name}', type=int, default=getattr(ToyWorldSize, field)
        )
    args = vars(parser.parse_args())
    root, workers = args.pop('root'), args.pop('workers')
    write_toy_world(root, ToyWorldSize(**args), workers=workers)


if __name__ == '__main__':
    run_command(main)

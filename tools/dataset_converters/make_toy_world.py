"""Write the toy world: target lists, caption corpus, web memory."""

import argparse

from ltvl_mm.datasets.toy_world_spec import ToyWorldSize
from ltvl_mm.utils.command_line import make_parser, run_command

SIZES = {
    'seed': 'seed of the world',
    'train_most': 'training images of the most frequent class',
    'train_fewest': 'training images of the rarest class',
    'val_per_class': 'val images of each class',
    'test_per_class': 'test images of each class',
    'corpus': 'image-caption pairs to pre-train CLIP on',
    'web': 'web images',
    'web_per_tar': 'web images of a tar',
}


def build_parser() -> argparse.ArgumentParser:
    parser = make_parser(__doc__)
    parser.add_argument('root', help='folder to write to, e.g. data/toy')
    parser.add_argument(
        '--workers', type=int, default=2, help='processes that draw'
    )
    for field, text in SIZES.items():
        parser.add_argument(
            f'--{field.replace("_", "-")}',
            type=int,
            default=getattr(ToyWorldSize, field),
            help=text,
        )
    return parser


def main() -> None:
    args = build_parser().parse_args()
    from ltvl_mm.datasets.toy_world_files import write_toy_world

    size = ToyWorldSize(**{field: getattr(args, field) for field in SIZES})
    write_toy_world(args.root, size, workers=args.workers)


if __name__ == '__main__':
    run_command(main)

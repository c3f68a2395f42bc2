"""Label retrieved images with CLIP's distribution over the classes.

Writes soft_labels.npz beside the manifest, which tools/train.py --recipe
soft_labels trains on.
"""

import argparse

from ltvl_mm.utils.command_line import make_parser, run_command


def build_parser() -> argparse.ArgumentParser:
    parser = make_parser(__doc__)
    parser.add_argument('retrieved', help='folder of tools/retrieve.py')
    parser.add_argument(
        '--store',
        nargs='+',
        required=True,
        help='embedded web images that it retrieved from',
    )
    parser.add_argument(
        '--top',
        type=int,
        default=50,
        help='most probable classes that are kept for an image; the others '
        'share the rest (default: %(default)s)',
    )
    parser.add_argument(
        '--temperature',
        type=float,
        help='temperature of the softmax over classes, > 0 (default: that of '
        'the retrieval)',
    )
    return parser


def main() -> None:
    args = build_parser().parse_args()
    from ltvl_mm.apis.retrieved_labels import label_retrieved
    from ltvl_mm.structures.soft_labels import FILE

    labels = label_retrieved(
        args.retrieved,
        args.store,
        top=args.top,
        temperature=args.temperature,
    )
    print(f'{len(labels)} soft labels: {args.retrieved}/{FILE}')


if __name__ == '__main__':
    run_command(main)

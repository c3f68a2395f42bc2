"""Estimate whether retrieved images can help, before training on them.

Compares them with val images: the zero-shot accuracy of CLIP, the probability
of the n-th image of a class, and the share of images that lie next to val
images of their class. Prints a table by group of classes, and warnings with
remedies; writes all numbers, also per class, as JSON.
"""

import argparse
from pathlib import Path

from ltvl_mm.utils.command_line import make_parser, run_command


def build_parser() -> argparse.ArgumentParser:
    parser = make_parser(__doc__)
    parser.add_argument('retrieved', help='folder of tools/retrieve.py')
    parser.add_argument(
        '--store',
        nargs='+',
        required=True,
        help='embedded web images that it retrieved from, in the same order',
    )
    parser.add_argument(
        '--val-store', required=True, help='embedded val images'
    )
    parser.add_argument(
        '--val-list', required=True, help='their path label list'
    )
    parser.add_argument(
        '--class-counts', required=True, help='train list (path label)'
    )
    parser.add_argument(
        '-o', '--out', help='JSON file (default: quality.json in the folder)'
    )
    return parser


def main() -> None:
    args = build_parser().parse_args()
    from ltvl_mm.apis.quality_text import describe_quality
    from ltvl_mm.apis.retrieval_check import FILE, check_retrieval
    from ltvl_mm.utils.io import write_json

    result = check_retrieval(
        args.retrieved,
        args.store,
        val_store=args.val_store,
        val_list=args.val_list,
        class_counts=args.class_counts,
    )
    out = args.out or Path(args.retrieved) / FILE
    write_json(out, result)
    print(describe_quality(result))
    print(f'all numbers, by class: {out}')


if __name__ == '__main__':
    run_command(main)

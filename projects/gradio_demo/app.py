"""A page to try models and web images on: see README.md.

Drop images, name classes, and compare what the models say; search an embedding
store by the text of a class.
"""

import argparse
from collections.abc import Sequence

from ltvl_mm.utils.command_line import add_device, make_parser, run_command


def build_parser() -> argparse.ArgumentParser:
    parser = make_parser(__doc__)
    parser.add_argument(
        '--model',
        nargs='+',
        action='append',
        default=[],
        metavar=('NAME CONFIG', 'WEIGHTS'),
        help='name to show, config or name of ltvl_mm.list_models(), and '
        'checkpoint or folder of a training; repeat it (default: none)',
    )
    parser.add_argument(
        '--store', help='embedding store to search (default: none)'
    )
    parser.add_argument(
        '--pretrained',
        help="weights of the store's encoder, open_clip tag or local file "
        '(default: openai)',
    )
    parser.add_argument(
        '--class-names',
        help='file, one name per line: search by the probability among these '
        'classes, as tools/retrieve.py does (default: none; by cosine)',
    )
    parser.add_argument(
        '--temperature',
        type=float,
        default=0.01,
        help='temperature of the softmax over --class-names',
    )
    add_device(parser)
    parser.add_argument(
        '--host', default='127.0.0.1', help='address to listen on'
    )
    parser.add_argument(
        '--port', type=int, default=7860, help='port to listen on'
    )
    return parser


def parse_args(words: Sequence[str] | None = None) -> argparse.Namespace:
    parser = build_parser()
    args = parser.parse_args(words)
    for model in args.model:
        if len(model) not in (2, 3):
            parser.error(f'--model takes NAME CONFIG [WEIGHTS], got {model}')
    if not args.model and not args.store:
        parser.error('give --model, --store, or both')
    return args


def main() -> None:
    args = parse_args()
    from page import build_page, load_comparison, load_search

    comparison, memory = load_comparison(args), load_search(args)
    page = build_page(comparison, memory)
    page.launch(server_name=args.host, server_port=args.port)


if __name__ == '__main__':
    run_command(main)

"""Measure what background classes do to the precision of web images.

Needs web images of which it is known what they show, such as those of an
emoji world (web_truth.csv). Prints, with and without background classes and
for subsets of the classes: the precision at R of the softmax, of argmax and of
the cosine, and how many images have p >= 0.5 and are right. Nothing is
written.
"""

import argparse

from ltvl_mm.retrieval.background_names import BACKGROUND_HELP, BUILTIN
from ltvl_mm.utils.command_line import make_parser, run_command


def build_parser() -> argparse.ArgumentParser:
    parser = make_parser(__doc__)
    parser.add_argument('store', help='embedded web images')
    parser.add_argument(
        '--truth', required=True, help='web_truth.csv, with key and class_name'
    )
    parser.add_argument(
        '--class-names', required=True, help='file, one name per line'
    )
    parser.add_argument(
        '--classes',
        type=int,
        nargs='+',
        metavar='K',
        help='sizes of random subsets of the classes (default: all classes)',
    )
    parser.add_argument(
        '--draws',
        type=int,
        default=5,
        help='random subsets of each size, whose numbers are averaged '
        '(default: %(default)s)',
    )
    parser.add_argument(
        '--background',
        default=BUILTIN,
        help=f'{BACKGROUND_HELP} (default: %(default)s)',
    )
    parser.add_argument(
        '--templates',
        default='openai_80',
        help='single, openai_80, or a file of sentences with {}',
    )
    parser.add_argument(
        '--arch', help="encoder (default: the store's own name)"
    )
    parser.add_argument(
        '--pretrained', help='its weights, a tag or a file (default: openai)'
    )
    parser.add_argument(
        '--val',
        nargs=2,
        metavar=('STORE', 'LIST'),
        help='embedded val images and their path label list: fit the '
        'temperature, too (default: none)',
    )
    return parser


def main() -> None:
    args = build_parser().parse_args()
    from ltvl_mm.apis.background_comparison import compare_backgrounds
    from ltvl_mm.clip.frozen_clip import FrozenCLIP
    from ltvl_mm.clip.templates import find_templates
    from ltvl_mm.structures.class_names import load_class_names
    from ltvl_mm.structures.class_queries import ClassQueries
    from ltvl_mm.structures.labeled_embeddings import read_labeled_embeddings
    from ltvl_mm.structures.store_reader import open_store

    store = open_store(args.store)
    clip = FrozenCLIP(args.arch or store.encoder['arch'], args.pretrained)
    names = load_class_names(args.class_names)
    templates = find_templates(args.templates)
    queries = ClassQueries(
        names,
        templates,
        clip.encode_class_names(names, templates).numpy(),
        clip.identity,
    )
    queries.check_store(store)
    rows = compare_backgrounds(
        store,
        args.truth,
        queries,
        clip,
        sizes=args.classes or [len(names)],
        draws=args.draws,
        setting=args.background,
        val=args.val and read_labeled_embeddings(*args.val, queries),
    )
    print(
        '| K | background | temperature | softmax | argmax | cosine | '
        'p >= .5 | of these right |'
    )
    print('| --: | :-- | :-- |' + ' --: |' * 5)
    for size, name, kind, row in rows:
        print(
            f'| {size} | {name} ({row.names}) | {row.temperature:.4f} {kind} '
            f'| {row.precision:.1f} | {row.argmax:.1f} | {row.cosine:.1f} | '
            f'{row.confident:.1f} | {row.correct:.1f} |'
        )


if __name__ == '__main__':
    run_command(main)

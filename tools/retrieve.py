"""Retrieve web images for each class and write a folder to train on.

Resumes when killed. Several processes: torchrun --nproc-per-node 8
tools/retrieve.py ...
"""

import argparse
import os
from contextlib import nullcontext

from ltvl_mm.retrieval.background_names import AUTO, BACKGROUND_HELP
from ltvl_mm.retrieval.budget import RULE_HELP
from ltvl_mm.retrieval.options import (
    ASSIGNMENTS,
    COPIES,
    MAX_BAD_ROWS,
    PRECISIONS,
    UNIT_ROWS,
    CopyRule,
    RetrievalOptions,
)
from ltvl_mm.retrieval.search.scores import SCORES
from ltvl_mm.utils.argument_types import (
    read_limit,
    read_temperature,
    read_values,
)
from ltvl_mm.utils.command_line import make_parser, run_command


def build_parser() -> argparse.ArgumentParser:
    parser = make_parser(__doc__)
    parser.add_argument(
        'stores',
        nargs='+',
        metavar='STORE',
        help='embedded web images; several stores of one encoder are searched '
        'as one',
    )
    parser.add_argument(
        '-o', '--out', required=True, help='folder of the retrieved images'
    )
    parser.add_argument(
        '--dry-run',
        action='store_true',
        help='print what it would cost and end',
    )
    add_classes(parser.add_argument_group('classes'))
    add_ranking(parser.add_argument_group('ranking'))
    add_filters(
        parser.add_argument_group(
            'filters, before ranking',
            'An image that says nothing in a column that is asked for is '
            'refused.',
        )
    )
    add_copies(parser.add_argument_group('copies'))
    how = parser.add_argument_group(
        'performance options; they do not change the result'
    )
    how.add_argument('--device', default='cpu', help='device of torch')
    how.add_argument(
        '--precision',
        choices=PRECISIONS,
        default='auto',
        help='precision of the prefilter; scores are always exact',
    )
    how.add_argument(
        '--unit-rows',
        type=int,
        default=UNIT_ROWS,
        help='rows of the store that a kill may cost',
    )
    parser.add_argument(
        '--no-verify',
        action='store_true',
        help="skip comparing the stores' files with their checksums",
    )
    parser.add_argument(
        '--max-bad-rows',
        type=float,
        default=MAX_BAD_ROWS,
        metavar='SHARE',
        help="share of a store's rows that are skipped because they are not "
        'finite or not of unit norm; more are an error (default: %(default)s)',
    )
    index = parser.add_argument_group(
        'an index, for stores too large to read whole',
        'It proposes candidates by cosine, which are not those of highest '
        'p_k: some are missed. How many is measured on a sample, and said.',
    )
    index.add_argument(
        '--index', help='faiss index of the store (default: none)'
    )
    index.add_argument(
        '--index-factor',
        type=int,
        default=RetrievalOptions.index_factor,
        help='images it proposes per candidate (default: %(default)s)',
    )
    index.add_argument(
        '--index-parameters',
        metavar='NAME=NUMBER[,...]',
        help='how thoroughly it is searched, e.g. nprobe=256 or '
        'efSearch=1024 (default: 64 cells, or as many steps as needed)',
    )
    return parser


def add_classes(group: argparse._ArgumentGroup) -> None:
    group.add_argument(
        '--class-names', help='file, one name per line (default: --queries)'
    )
    group.add_argument(
        '--queries',
        metavar='FILE.npz',
        help='text features of your own in place of names and weights of '
        'CLIP, as ltvl_mm.structures.class_queries.save_queries writes them; '
        'give --temperature with them (default: none)',
    )
    group.add_argument('--budget', default='300', help=f'n_k: {RULE_HELP}')
    group.add_argument(
        '--class-counts',
        help='train list (path label) for balance_to (default: none)',
    )
    group.add_argument(
        '--templates',
        default='openai_80',
        help='single, openai_80, or a file of sentences with {}',
    )
    group.add_argument(
        '--background',
        default=AUTO,
        metavar='builtin|none|FILE',
        help='names that compete in the softmax over classes and get no '
        f'images: {BACKGROUND_HELP} (default: builtin for fewer than 64 '
        'classes)',
    )
    group.add_argument(
        '--arch',
        help="of the store's encoder, as given to tools/embed_images.py "
        '(default: the name in store.json)',
    )
    group.add_argument(
        '--pretrained',
        help="weights of the store's encoder (default: those of a local-dir: "
        'or hf-hub: name, else openai)',
    )
    group.add_argument(
        '--preprocess',
        metavar='TAG_OR_JSON',
        help='as given to tools/embed_images.py for the store (default: the '
        "weights' own)",
    )


def add_ranking(group: argparse._ArgumentGroup) -> None:
    group.add_argument(
        '--temperature',
        type=read_temperature,
        metavar='NUMBER|auto',
        help='of the softmax over classes; auto: fitted to the labels of val '
        "images (--val) by likelihood (default: the model's own, 1 / its "
        'logit scale)',
    )
    group.add_argument(
        '--val',
        nargs=2,
        metavar=('STORE', 'LIST'),
        help='embedded val images and their path label list, for '
        '--temperature auto (default: none)',
    )
    group.add_argument(
        '--min-probability',
        type=float,
        default=0.0,
        metavar='P',
        help='leave out images of a lower softmax probability, in [0, 1) '
        '(default: %(default)s)',
    )
    group.add_argument(
        '--min-precision',
        type=float,
        metavar='P',
        help='for --budget auto: a class takes its best images as long as '
        'the mean of their probabilities is at least this, in [0, 1) '
        '(default: 0.8)',
    )
    group.add_argument(
        '--score',
        choices=SCORES,
        default=RetrievalOptions.score,
        help='what images are ranked by',
    )
    group.add_argument(
        '--assign',
        choices=ASSIGNMENTS,
        default=RetrievalOptions.assign,
        help='argmax: an image may be retrieved for its first class only',
    )
    group.add_argument(
        '--over', type=float, default=2.0, help='candidates per wanted image'
    )
    group.add_argument(
        '--refill',
        type=int,
        default=RetrievalOptions.refill,
        help='how often the candidates of a class that copies leave short '
        'are doubled, for one more pass each (default: %(default)s)',
    )


def add_filters(group: argparse._ArgumentGroup) -> None:
    group.add_argument(
        '--min-size',
        type=int,
        default=0,
        help='minimum pixels of the shorter side',
    )
    group.add_argument(
        '--max-aspect',
        type=float,
        default=0,
        help='maximum longer / shorter side; 0 for any',
    )
    for name, example in (('min', 'similarity=0.3'), ('max', 'punsafe=0.5')):
        group.add_argument(
            f'--{name}-column',
            nargs='+',
            type=read_limit,
            default=[],
            metavar='NAME=NUMBER',
            help=f'{name}imum of a column, e.g. {example} (default: none)',
        )
    group.add_argument(
        '--column',
        nargs='+',
        type=read_values,
        default=[],
        metavar='NAME=VALUE[,VALUE]',
        help='allowed values of a column, e.g. LANGUAGE=en or '
        'NSFW=UNLIKELY,UNSURE (default: all)',
    )
    for name in ('allow', 'deny'):
        group.add_argument(
            f'--{name}-host',
            nargs='+',
            default=[],
            metavar='HOST',
            help='hosts of URLs, with subdomains, or a .txt file with one per '
            f'line (default: {"all" if name == "allow" else "none"})',
        )


def add_copies(group: argparse._ArgumentGroup) -> None:
    group.add_argument(
        '--copy-cosine',
        type=float,
        default=CopyRule.cosine,
        help='minimum cosine of near-duplicates',
    )
    group.add_argument(
        '--copy-bits',
        type=int,
        default=CopyRule.phash_bits,
        help='maximum different bits of 64 of the perceptual hashes of '
        'near-duplicates; 64 leaves the decision to the cosine',
    )
    group.add_argument(
        '--copy-cosine-alone',
        type=float,
        default=CopyRule.cosine_alone,
        help='minimum cosine where a store has no perceptual hashes',
    )
    group.add_argument(
        '--copy',
        choices=COPIES,
        default='folder',
        help='tar: one images.tar instead of a folder; none: list URLs in '
        'download.parquet instead of copying images',
    )
    group.add_argument(
        '--local-images',
        nargs='+',
        metavar='FOLDER',
        help='folders of the files that the keys of a store of others name '
        '(default: none)',
    )
    excluded = group.add_mutually_exclusive_group(required=True)
    excluded.add_argument(
        '--exclude',
        nargs='+',
        metavar='STORE',
        help='embedded val and test images, of which no copy is retrieved',
    )
    excluded.add_argument(
        '--allow-test-copies',
        '--allow-leak',
        action='store_true',
        help='there is no test set to protect',
    )


def main() -> None:
    args = build_parser().parse_args()
    from ltvl_mm.utils.launch import init_distributed
    from ltvl_mm.utils.lock import locked_folder

    rank = init_distributed()
    with nullcontext() if args.dry_run else locked_folder(args.out):
        run(args, rank)


def run(args: argparse.Namespace, rank: int) -> None:
    from ltvl_mm.apis import prepare_retrieval
    from ltvl_mm.apis.local_images import place_local_images
    from ltvl_mm.apis.retrieval_arguments import make_options
    from ltvl_mm.retrieval.plan import plan_retrieval
    from ltvl_mm.retrieval.retrieval_report import describe_report
    from ltvl_mm.retrieval.run_retrieval import run_retrieval
    from ltvl_mm.utils.provenance import record_command

    task = prepare_retrieval(
        args.stores,
        args.out,
        class_names=args.class_names,
        queries=args.queries,
        exclude=args.exclude,
        budget=args.budget,
        class_counts=args.class_counts,
        templates=args.templates,
        background=args.background,
        arch=args.arch,
        pretrained=args.pretrained,
        preprocess=args.preprocess,
        options=make_options(args),
        val=args.val,
        device=args.device,
        precision=args.precision,
        unit_rows=args.unit_rows,
        index=args.index,
        verify=not args.no_verify,
        max_bad_rows=args.max_bad_rows,
        local_images=args.local_images,
        dry_run=args.dry_run,
    )
    if not args.dry_run:
        run_retrieval(task, args.out)
        if args.local_images:
            place_local_images(args.out, args.local_images)
    if rank == 0 and args.dry_run:
        ranks = int(os.environ.get('WORLD_SIZE', 1))
        print(plan_retrieval(task, args.out, ranks=ranks).describe())
    elif rank == 0:
        record_command(args.out)
        print(describe_report(args.out))


if __name__ == '__main__':
    run_command(main)

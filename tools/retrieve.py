"""Retrieve web images for each class and write a folder to train on.

Resumes when killed. Several processes: torchrun --nproc-per-node 8
tools/retrieve.py ...; a Ray cluster: --engine ray --address auto
"""

import argparse
import os
from contextlib import nullcontext
from typing import TYPE_CHECKING

from ltvl_mm.apis.retrieval_parser import (
    add_class_options,
    add_copy_options,
    add_filter_options,
    add_ranking_options,
)
from ltvl_mm.retrieval.options import (
    MAX_BAD_ROWS,
    UNIT_ROWS,
    RetrievalOptions,
)
from ltvl_mm.utils.command_line import make_parser, run_command
from ltvl_mm.utils.engine_option import add_engine

if TYPE_CHECKING:
    from ltvl_mm.retrieval.dealing.work_engine import WorkEngine


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
    add_class_options(parser.add_argument_group('classes'))
    add_ranking_options(parser.add_argument_group('ranking'))
    add_filter_options(
        parser.add_argument_group(
            'filters, before ranking',
            'An image that says nothing in a column that is asked for is '
            'refused.',
        )
    )
    add_copy_options(parser.add_argument_group('copies'))
    how = parser.add_argument_group(
        'performance options; they do not change the result'
    )
    how.add_argument('--device', default='cpu', help='device of torch')
    how.add_argument(
        '--unit-rows',
        type=int,
        default=UNIT_ROWS,
        help='rows of the store that a kill may cost',
    )
    add_engine(how)
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


def main() -> None:
    args = build_parser().parse_args()
    from ltvl_mm.retrieval.dealing.engine_choice import open_engine
    from ltvl_mm.utils.launch import init_distributed
    from ltvl_mm.utils.lock import locked_folder

    rank = init_distributed()
    with (
        nullcontext() if args.dry_run else locked_folder(args.out),
        open_engine(args.engine, address=args.address) as engine,
    ):
        run(args, rank, engine)


def run(args: argparse.Namespace, rank: int, engine: 'WorkEngine') -> None:
    from ltvl_mm.apis import RetrievalSettings, prepare_retrieval
    from ltvl_mm.apis.local_images import place_local_images
    from ltvl_mm.apis.retrieval_arguments import make_options
    from ltvl_mm.retrieval.plan import plan_retrieval
    from ltvl_mm.retrieval.retrieval_report import (
        describe_report,
        describe_warning,
    )
    from ltvl_mm.retrieval.run_retrieval import run_retrieval
    from ltvl_mm.utils.provenance import record_command

    task = prepare_retrieval(
        args.stores,
        args.out,
        RetrievalSettings(
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
            unit_rows=args.unit_rows,
            index=args.index,
            verify=not args.no_verify,
            max_bad_rows=args.max_bad_rows,
            local_images=args.local_images,
        ),
        dry_run=args.dry_run,
    )
    if not args.dry_run:
        manifest, _ = run_retrieval(task, args.out, engine=engine)
        if args.local_images:
            place_local_images(args.out, args.local_images)
    if rank == 0 and args.dry_run:
        ranks = int(os.environ.get('WORLD_SIZE', 1))
        print(plan_retrieval(task, args.out, ranks=ranks).describe())
    elif rank == 0:
        record_command(args.out)
        print(describe_report(args.out))
        if (warning := describe_warning(manifest)) is not None:
            print(f'WARNING: {warning}')


if __name__ == '__main__':
    run_command(main)

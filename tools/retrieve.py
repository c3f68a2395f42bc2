"""Retrieve web images for each class and write a folder to train on.

Resumes when killed. Several processes: torchrun --nproc-per-node 8
tools/retrieve.py ...
"""

import argparse
import os
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch

from ltvl_mm.models.clip import find_templates
from ltvl_mm.models.frozen_clip import FrozenCLIP
from ltvl_mm.retrieval.admission import AdmissionRule
from ltvl_mm.retrieval.budget import RULE_HELP, compute_budget
from ltvl_mm.retrieval.copies import CopyRule
from ltvl_mm.retrieval.plan import plan_retrieval
from ltvl_mm.retrieval.retrieve import retrieve
from ltvl_mm.retrieval.scores import SCORES
from ltvl_mm.retrieval.select import ASSIGNMENTS, PRECISIONS
from ltvl_mm.retrieval.task import COPIES, RetrievalOptions, RetrievalTask
from ltvl_mm.retrieval.units import UNIT_ROWS
from ltvl_mm.structures.class_counts import load_class_counts
from ltvl_mm.structures.class_names import load_class_names
from ltvl_mm.structures.class_queries import (
    ClassQueries,
    load_queries,
    save_queries,
)
from ltvl_mm.structures.embedding_store import EmbeddingStore, open_store
from ltvl_mm.utils.io import read_json
from ltvl_mm.utils.launch import join_ranks, share


def parse_args() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument('store', help='the web memory, embedded')
    parser.add_argument('-o', '--out', required=True)
    parser.add_argument(
        '--dry-run', action='store_true', help='say what it would cost'
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
    how = parser.add_argument_group('what decides the time alone')
    how.add_argument('--device', default='cpu')
    how.add_argument('--precision', choices=PRECISIONS, default='auto')
    how.add_argument(
        '--unit-rows',
        type=int,
        default=UNIT_ROWS,
        help='rows of the store that a kill may cost',
    )
    index = parser.add_argument_group(
        'an index, for stores too large to read whole',
        'It proposes candidates by cosine, which are not those of highest '
        'p_k: some are missed. How many is measured on a sample, and said.',
    )
    index.add_argument('--index', help='a faiss index of the store')
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
    return parser.parse_args()


def add_classes(group: argparse._ArgumentGroup) -> None:
    group.add_argument(
        '--class-names', required=True, help='file, one name per line'
    )
    group.add_argument('--budget', default='300', help=f'n_k: {RULE_HELP}')
    group.add_argument(
        '--class-counts', help='train list (path label) for balance_to'
    )
    group.add_argument(
        '--templates',
        default='openai_80',
        help='single, openai_80, or a file of sentences with {}',
    )
    group.add_argument('--arch', help="default: the store's")
    group.add_argument(
        '--pretrained', default='openai', help="the store's weights"
    )


def add_ranking(group: argparse._ArgumentGroup) -> None:
    group.add_argument('--temperature', type=float, default=0.01)
    group.add_argument('--score', choices=SCORES, default='softmax')
    group.add_argument('--assign', choices=ASSIGNMENTS, default='independent')
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
        '--min-size', type=int, default=0, help='pixels, shorter side'
    )
    group.add_argument(
        '--max-aspect', type=float, default=0, help='longer / shorter side'
    )
    for name, example in (
        ('min', 'similarity=0.3'),
        ('max', 'punsafe=0.5'),
    ):
        group.add_argument(
            f'--{name}-column',
            nargs='+',
            default=[],
            metavar='NAME=NUMBER',
            help=f'e.g. {example}',
        )
    group.add_argument(
        '--column',
        nargs='+',
        default=[],
        metavar='NAME=VALUE[,VALUE]',
        help='e.g. LANGUAGE=en or NSFW=UNLIKELY,UNSURE',
    )
    for name in ('allow', 'deny'):
        group.add_argument(
            f'--{name}-host',
            nargs='+',
            default=[],
            metavar='HOST',
            help='of URLs, with subdomains; or a .txt file with one per line',
        )


def add_copies(group: argparse._ArgumentGroup) -> None:
    group.add_argument('--copy-cosine', type=float, default=CopyRule.cosine)
    group.add_argument(
        '--copy-bits',
        type=int,
        default=CopyRule.phash_bits,
        help='of 64 bits of perceptual hash; 64 leaves it to the cosine',
    )
    group.add_argument(
        '--copy-cosine-alone',
        type=float,
        default=CopyRule.cosine_alone,
        help='where a store has no perceptual hashes',
    )
    group.add_argument(
        '--copy',
        choices=COPIES,
        default='folder',
        help='tar: one images.tar instead of a folder; none: list URLs in '
        'download.parquet instead of copying images',
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
    args = parse_args()
    rank = join_ranks()
    store = open_store(args.store)
    task = RetrievalTask(
        store,
        share(find_queries(args, store) if rank == 0 else None),
        find_budget(args),
        [open_store(path) for path in args.exclude or []],
        make_options(args),
        device=args.device,
        precision=args.precision,
        unit_rows=args.unit_rows,
        index=args.index,
    )
    if args.dry_run:
        if rank == 0:
            ranks = int(os.environ.get('WORLD_SIZE', 1))
            print(plan_retrieval(task, args.out, ranks=ranks).describe())
        return
    retrieve(task, args.out)
    if rank == 0:
        report(Path(args.out))


def find_queries(
    args: argparse.Namespace, store: EmbeddingStore
) -> ClassQueries:
    """Return the class queries that an earlier run made, or make them.

    Another machine, or another number of threads, rounds them differently.
    """
    names = load_class_names(args.class_names)
    templates = find_templates(args.templates)
    clip = FrozenCLIP(
        args.arch or store.encoder['arch'],
        args.pretrained,
        device='cuda' if torch.cuda.is_available() else 'cpu',
    )
    file = Path(args.out) / 'queries.npz'
    if file.exists():
        queries = load_queries(file)
        made = queries.class_names, queries.templates, queries.encoder
        if made == (names, templates, clip.identity):
            return queries
        raise ValueError(
            f'{args.out} was begun with another class list, encoder or other '
            f'templates; choose another folder or delete it'
        )
    queries = ClassQueries(
        names,
        templates,
        clip.encode_class_names(names, templates).numpy(),
        clip.identity,
    )
    if not args.dry_run:
        save_queries(file, queries)
    return queries


def find_budget(args: argparse.Namespace) -> np.ndarray:
    names = load_class_names(args.class_names)
    counts = args.class_counts and load_class_counts(
        args.class_counts, len(names)
    )
    rule = (
        read_json(args.budget)
        if args.budget.endswith('.json')
        else args.budget
    )
    return compute_budget(rule, len(names), counts)


def make_options(args: argparse.Namespace) -> RetrievalOptions:
    copies = CopyRule(args.copy_cosine, args.copy_bits, args.copy_cosine_alone)
    return RetrievalOptions(
        temperature=args.temperature,
        score=args.score,
        assign=args.assign,
        over=args.over,
        refill=args.refill,
        duplicates=copies,
        exclude=copies,
        admission=AdmissionRule(
            min_size=args.min_size,
            max_aspect=args.max_aspect,
            least=read_limits(args.min_column),
            most=read_limits(args.max_column),
            values={
                name: tuple(value.split(','))
                for name, value in map(split_pair, args.column)
            },
            allowed_hosts=read_hosts(args.allow_host),
            denied_hosts=read_hosts(args.deny_host),
        ),
        index_factor=args.index_factor,
        index_parameters=args.index_parameters,
        copy=args.copy,
    )


def read_limits(words: Sequence[str]) -> dict[str, float]:
    return {name: float(value) for name, value in map(split_pair, words)}


def split_pair(word: str) -> tuple[str, str]:
    name, equals, value = word.partition('=')
    if not (name and equals and value):
        raise ValueError(f'expected NAME=VALUE, got {word!r}')
    return name, value


def read_hosts(words: Sequence[str]) -> tuple[str, ...]:
    hosts = []
    for word in words:
        hosts += (
            Path(word).read_text(encoding='utf-8').split()
            if word.endswith('.txt')
            else [word]
        )
    return tuple(sorted({host.lower() for host in hosts}))


def report(out: Path) -> None:
    found = read_json(out / 'report.json')
    print(
        f'{found["retrieved"]} of {found["retrieved"] + found["missing"]} '
        f'images retrieved for {len(found["classes"])} classes: '
        f'{out / "manifest.parquet"}'
    )
    print(
        f'passed over: {found["duplicates"]} duplicates, '
        f'{found["copies_of_excluded_images"]} copies of excluded images; by '
        f'class in {out}/report.json'
    )
    for reason, rows in found['rows_refused_by_filters'].items():
        print(f'refused by the filter {reason}: {rows} images')
    for root, missing in found['copies_recognised_without'].items():
        print(f'{root} lacks {", ".join(missing)} to recognise copies by')
    short = [c for c in found['classes'] if c['short_because']]
    for entry in short[:5]:
        print(
            f'{entry["name"]}: {entry["retrieved"]} of {entry["wanted"]} '
            f'({entry["short_because"]})'
        )
    if len(short) > 5:
        print(f'and {len(short) - 5} other classes are short')


if __name__ == '__main__':
    main()

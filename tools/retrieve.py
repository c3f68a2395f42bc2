"""Retrieve web images for each class and write a folder to train on."""

import argparse
from pathlib import Path

from ltvl_mm.models.clip import find_templates
from ltvl_mm.models.frozen_clip import FrozenCLIP
from ltvl_mm.retrieval.budget import RULE_HELP, compute_budget
from ltvl_mm.retrieval.copies import CopyRule
from ltvl_mm.retrieval.retrieve import RetrievalOptions, retrieve
from ltvl_mm.retrieval.scores import SCORES
from ltvl_mm.retrieval.select import ASSIGNMENTS
from ltvl_mm.structures.class_counts import load_class_counts
from ltvl_mm.structures.class_names import load_class_names
from ltvl_mm.structures.class_queries import ClassQueries
from ltvl_mm.structures.embedding_store import open_store
from ltvl_mm.utils.io import read_json


def parse_args() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument('store', help='the web memory, embedded')
    parser.add_argument('-o', '--out', required=True)
    parser.add_argument(
        '--class-names', required=True, help='file, one name per line'
    )
    parser.add_argument('--budget', default='300', help=f'n_k: {RULE_HELP}')
    parser.add_argument(
        '--class-counts', help='train list (path label) for balance_to'
    )
    parser.add_argument(
        '--templates',
        default='openai_80',
        help='single, openai_80, or a file of sentences with {}',
    )
    parser.add_argument('--arch', help="default: the store's")
    parser.add_argument(
        '--pretrained', default='openai', help="the store's weights"
    )
    parser.add_argument('--temperature', type=float, default=0.01)
    parser.add_argument('--score', choices=SCORES, default='softmax')
    parser.add_argument('--assign', choices=ASSIGNMENTS, default='independent')
    parser.add_argument(
        '--over', type=float, default=2.0, help='candidates per wanted image'
    )
    parser.add_argument('--copy-cosine', type=float, default=CopyRule.cosine)
    parser.add_argument(
        '--copy-bits',
        type=int,
        default=CopyRule.phash_bits,
        help='of 64 bits of perceptual hash; 64 leaves it to the cosine',
    )
    excluded = parser.add_mutually_exclusive_group(required=True)
    excluded.add_argument(
        '--exclude',
        nargs='+',
        metavar='STORE',
        help='embedded val and test images, of which no copy is retrieved',
    )
    excluded.add_argument(
        '--allow-test-copies',
        action='store_true',
        help='there is no test set to protect',
    )
    return parser.parse_args()


def main() -> None:
    args = parse_args()
    store = open_store(args.store)
    store.check_columns(
        ('source', 'offset', 'size', 'sha256'), 'copying the chosen images'
    )
    names = load_class_names(args.class_names)
    counts = args.class_counts and load_class_counts(
        args.class_counts, len(names)
    )
    rule = (
        read_json(args.budget)
        if args.budget.endswith('.json')
        else args.budget
    )
    budget = compute_budget(rule, len(names), counts)
    copies = CopyRule(args.copy_cosine, args.copy_bits)
    options = RetrievalOptions(
        args.temperature, args.score, args.assign, args.over, copies, copies
    )
    excluded = [open_store(path) for path in args.exclude or []]
    templates = find_templates(args.templates)
    clip = FrozenCLIP(args.arch or store.encoder['arch'], args.pretrained)
    queries = ClassQueries(
        names,
        templates,
        clip.encode_class_names(names, templates).numpy(),
        clip.identity,
    )
    manifest, rejected = retrieve(
        store, queries, budget, args.out, excluded=excluded, options=options
    )
    leaks = sum(entry.reason == 'excluded' for entry in rejected)
    print(
        f'{len(manifest)} of {budget.sum()} images retrieved for '
        f'{len(names)} classes: {Path(args.out) / "manifest.parquet"}'
    )
    print(
        f'passed over: {len(rejected) - leaks} duplicates, {leaks} copies '
        f'of excluded images; by class in {args.out}/report.json'
    )


if __name__ == '__main__':
    main()

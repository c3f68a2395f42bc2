"""Groups of options of tools/retrieve.py."""

import argparse

from ltvl_mm.retrieval.background_names import AUTO, BACKGROUND_HELP
from ltvl_mm.retrieval.budget import RULE_HELP
from ltvl_mm.retrieval.options import (
    ASSIGNMENTS,
    COPIES,
    SCORES,
    CopyRule,
    RetrievalOptions,
)
from ltvl_mm.utils.argument_types import (
    read_limit,
    read_temperature,
    read_values,
)


def add_class_options(group: argparse._ArgumentGroup) -> None:
    """Add the options of classes, prompts and encoder."""
    group.add_argument(
        '--class-names', help='file, one name per line (default: --queries)'
    )
    group.add_argument(
        '--queries',
        metavar='FILE.npz',
        help='text features of your own in place of names and weights of '
        'CLIP, as ltvl_mm.structures.class_queries.save_queries writes them; '
        'give --temperature or --val with them (default: none)',
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


def add_ranking_options(group: argparse._ArgumentGroup) -> None:
    """Add the options of scores and candidates."""
    group.add_argument(
        '--temperature',
        type=read_temperature,
        metavar='NUMBER|auto',
        help='of the softmax over classes; auto: fitted to the labels of val '
        'images (--val) by likelihood (default: auto with 50 val '
        "images and background names, else the model's own, 1 / its logit "
        'scale)',
    )
    group.add_argument(
        '--val',
        nargs=2,
        metavar=('STORE', 'LIST'),
        help='embedded val images and their path label list, which the '
        'temperature is fitted to (default: none)',
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
        help='for any --budget: a class takes its best images as long as '
        'the mean of their probabilities is at least this, in [0, 1); needs '
        'a temperature that is fitted to val (--temperature auto --val STORE '
        'LIST), as --budget auto does (default: 0.8 for --budget auto, else '
        'none)',
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
        '--oversample-factor',
        type=float,
        default=RetrievalOptions.oversample_factor,
        help='candidates per wanted image (default: %(default)s)',
    )
    group.add_argument(
        '--max-rounds',
        type=int,
        default=RetrievalOptions.max_rounds,
        help='how often the candidates of a class that copies leave short '
        'are doubled, for one more pass each (default: %(default)s)',
    )


def add_filter_options(group: argparse._ArgumentGroup) -> None:
    """Add the options of the metadata filter."""
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


def add_copy_options(group: argparse._ArgumentGroup) -> None:
    """Add the options of near-duplicates and of the output."""
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

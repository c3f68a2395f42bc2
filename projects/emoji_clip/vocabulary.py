"""Write the byte-pair merges of the emoji CLIP's small vocabulary.

CLIP's own vocabulary has 49,408 tokens, most of the model's weights if it is
as small as this one. Its merges are kept in their order, so that any text can
be encoded: those that a word of the world needs, and the most frequent ones.
"""

import argparse
import gzip
import re
from pathlib import Path

from ltvl_mm.datasets.emoji_concepts import (
    CLASS_GLYPHS,
    CLASS_NAMES,
    OTHER_GLYPHS,
)
from ltvl_mm.datasets.emoji_world_spec import CAPTION_TEMPLATES
from ltvl_mm.utils.command_line import make_parser, run_command
from ltvl_mm.utils.io import atomic_write


def list_words() -> set[str]:
    """Return every word of captions, class names and glyph names."""
    glyphs = (*CLASS_GLYPHS.values(), OTHER_GLYPHS)
    texts = [glyph.name for group in glyphs for glyph in group]
    texts += [*CLASS_NAMES, *CAPTION_TEMPLATES]
    return set(re.findall('[a-z]+', ' '.join(texts).lower()))


def find_needed_merges(words: set[str]) -> set[tuple[str, str]]:
    """Return the merges that join the letters of each word."""
    from open_clip.tokenizer import SimpleTokenizer

    tokenizer = SimpleTokenizer()
    merges = {''.join(merge): merge for merge in tokenizer.bpe_ranks}
    needed = set()
    open_tokens = [
        token for word in words for token in tokenizer.bpe(word).split()
    ]
    while open_tokens:
        token = open_tokens.pop()
        merge = merges.get(token)
        if merge is not None and merge not in needed:
            needed.add(merge)
            open_tokens += merge
    return needed


def build_parser() -> argparse.ArgumentParser:
    parser = make_parser(__doc__)
    parser.add_argument('out', type=Path, help='.txt.gz file to write')
    parser.add_argument(
        '--frequent',
        type=int,
        default=2000,
        help='most frequent merges to keep',
    )
    return parser


def main() -> None:
    args = build_parser().parse_args()
    from open_clip.tokenizer import SimpleTokenizer

    needed = find_needed_merges(list_words())
    ranks = SimpleTokenizer().bpe_ranks
    kept = [
        merge
        for merge, rank in ranks.items()
        if rank < args.frequent or merge in needed
    ]
    # open_clip skips the first line; an empty last one would be a merge.
    lines = ['# merges of CLIP', *(' '.join(merge) for merge in kept)]
    with atomic_write(args.out) as file:
        file.write(gzip.compress('\n'.join(lines).encode(), mtime=0))
    print(f'{len(kept)} merges, {512 + len(kept) + 2} tokens')


if __name__ == '__main__':
    run_command(main)

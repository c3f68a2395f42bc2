"""Index embeddings that others made, so that tools/retrieve.py reads them.

Reads clip-retrieval's folders (img_emb/ and metadata/, e.g. LAION's) and .npy
files with their keys beside them. Copies nothing and writes one store.json.
The files do not say which encoder made them, so you do: a wrong one gives
nonsense.
"""

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

from ltvl_mm.retrieval.options import MIN_COSINE
from ltvl_mm.utils.command_line import make_parser, run_command

if TYPE_CHECKING:
    from ltvl_mm.structures.embedding_store import EmbeddingStore


def build_parser() -> argparse.ArgumentParser:
    parser = make_parser(__doc__)
    parser.add_argument(
        'folder', help='img_emb/ and metadata/, or .npy files and their keys'
    )
    parser.add_argument(
        '-o', '--out', help='folder for store.json (default: the same folder)'
    )
    parser.add_argument('--arch', required=True, help='open_clip architecture')
    parser.add_argument(
        '--pretrained',
        help='open_clip tag or local file (default: those of a local-dir: or '
        'hf-hub: name; needed for other names)',
    )
    parser.add_argument(
        '--preprocess',
        metavar='TAG_OR_JSON',
        help='preprocessing of the images, as of tools/embed_images.py '
        "(default: the weights' own)",
    )
    parser.add_argument(
        '--check-images',
        type=int,
        default=0,
        metavar='N',
        help='embed N random images that the metadata names and that are on '
        f'disk, and stop if a cosine with the stored row is below {MIN_COSINE}'
        ' (default: 0, no check)',
    )
    return parser


def main() -> None:
    args = build_parser().parse_args()
    from ltvl_mm.clip.frozen_clip import FrozenCLIP
    from ltvl_mm.clip.sources import has_own_weights
    from ltvl_mm.retrieval.reading.image_check import check_images
    from ltvl_mm.structures.store_index import index_store

    if args.pretrained is None and not has_own_weights(args.arch):
        # No default: nothing in such a folder tells the encoder.
        raise ValueError(
            f'--pretrained is missing: name the weights of {args.arch} that '
            f'embedded {args.folder}'
        )
    clip = FrozenCLIP(args.arch, args.pretrained, preprocess=args.preprocess)
    checked: list[str] = []

    def check(store: 'EmbeddingStore') -> None:
        compared = check_images(
            store,
            clip.preprocess,
            clip.encode_images,
            count=args.check_images,
            folder=Path(args.folder),
        )
        sampled = min(args.check_images, len(store))
        checked.append(
            f'{compared} of {sampled} sampled images are on disk, and their '
            f'embeddings equal the stored ones (cosine >= {MIN_COSINE})'
            if compared
            else f'None of the {sampled} sampled images is on disk, so the '
            f'embeddings were not compared; names in the metadata are '
            f'looked for in {args.folder}'
        )

    store = index_store(
        args.folder,
        clip.identity,
        out=args.out,
        check=check if args.check_images else None,
    )
    print(
        f'{len(store)} embeddings of width {store.dim} in {len(store.parts)} '
        f'files: {store.root / "store.json"}',
        *checked,
        sep='\n',
    )


if __name__ == '__main__':
    run_command(main)

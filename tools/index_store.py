"""Index embeddings that others made, so that tools/retrieve.py reads them.

Reads clip-retrieval's folders (img_emb/ and metadata/, e.g. LAION's) and .npy
files with their keys beside them. Copies nothing and writes one store.json.
The files do not say which encoder made them, so you do: a wrong one gives
nonsense.
"""

import argparse

from ltvl_mm.models.frozen_clip import FrozenCLIP
from ltvl_mm.structures.store_index import index_store
from ltvl_mm.utils.command_line import run_command


def parse_args() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument('folder')
    parser.add_argument(
        '-o', '--out', help='folder for store.json if not the same'
    )
    parser.add_argument('--arch', required=True, help='of the encoder')
    parser.add_argument(
        '--pretrained', required=True, help='open_clip tag or local file'
    )
    parser.add_argument(
        '--preprocess',
        metavar='TAG_OR_JSON',
        help='preprocessing of the images, as of tools/embed_images.py '
        "(default: the weights' own)",
    )
    return parser.parse_args()


def main() -> None:
    args = parse_args()
    clip = FrozenCLIP(args.arch, args.pretrained, preprocess=args.preprocess)
    store = index_store(args.folder, clip.identity, out=args.out)
    print(
        f'{len(store)} embeddings of width {store.dim} in {len(store.parts)} '
        f'files: {store.root / "store.json"}'
    )


if __name__ == '__main__':
    run_command(main)

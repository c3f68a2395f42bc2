"""Embed images with a frozen CLIP into a store; resumes when killed.

Inputs: tars and img2dataset's parquet files (paths, globs, {00000..00099}),
folders of these or of images, or .txt lists of paths (labels are ignored).

An existing store is completed: give its inputs and the new ones. Shards that
it lacks are added, and those whose files changed are embedded again.

Several GPUs: torchrun --nproc-per-node 8 tools/embed_images.py ...
Machines that come and go: --engine ray --address auto
"""

import argparse
from typing import TYPE_CHECKING

from ltvl_mm.utils.command_line import add_device, make_parser, run_command
from ltvl_mm.utils.engine_option import add_engine
from ltvl_mm.utils.text import escape_controls

if TYPE_CHECKING:
    from ltvl_mm.structures.embedding_store import EmbeddingStore


def build_parser() -> argparse.ArgumentParser:
    parser = make_parser(__doc__)
    parser.add_argument(
        'inputs', nargs='+', help='tars, parquet files, folders or lists'
    )
    parser.add_argument(
        '-o', '--out', required=True, help='folder of the store'
    )
    parser.add_argument(
        '--root', help="folder of the paths in lists (default: the list's own)"
    )
    parser.add_argument(
        '--arch',
        default='ViT-B-16-quickgelu',
        help='open_clip architecture, model config FILE.json, '
        'local-dir:FOLDER or hf-hub:NAME (default: %(default)s)',
    )
    parser.add_argument(
        '--pretrained',
        help='open_clip tag or local file (default: those of a local-dir: or '
        'hf-hub: name, else openai)',
    )
    parser.add_argument(
        '--preprocess',
        metavar='TAG_OR_JSON',
        help='for a local file: tag of the architecture that it was '
        'preprocessed as, or values as JSON, e.g. \'{"mean": [0.5, 0.5, 0.5], '
        '"std": [0.5, 0.5, 0.5], "resize_mode": "squash"}\' (default: the '
        "tag's own)",
    )
    add_device(parser)
    parser.add_argument(
        '--amp', action='store_true', help='run the image tower in bfloat16'
    )
    parser.add_argument(
        '--compile',
        action='store_true',
        help='compile the image tower: minutes first, then faster',
    )
    parser.add_argument(
        '--batch-size', type=int, default=256, help='images encoded at a time'
    )
    parser.add_argument(
        '--workers',
        type=int,
        default=2,
        help='processes that read and decode, per rank or encoder; 0 for none',
    )
    parser.add_argument(
        '--prefetch',
        type=int,
        default=2,
        metavar='N',
        help='decoded batches that each worker keeps ready for the encoder',
    )
    add_engine(parser)
    parser.add_argument(
        '--encoders',
        type=int,
        metavar='N',
        help='maximum number of encoders on the Ray cluster (default: its '
        'GPUs, else its CPUs)',
    )
    parser.add_argument(
        '--shard-size',
        type=int,
        default=10_000,
        help='images per shard of folders and lists',
    )
    parser.add_argument(
        '--check-content',
        action='store_true',
        help='compare the images of finished shards by their bytes, not only '
        'size and time of the files',
    )
    parser.add_argument(
        '--remove-missing',
        action='store_true',
        help='remove shards of the store that are not among the inputs '
        '(default: an error)',
    )
    return parser


def main() -> None:
    settings = vars(build_parser().parse_args())
    from ltvl_mm.apis import embed
    from ltvl_mm.utils.launch import init_distributed
    from ltvl_mm.utils.provenance import record_command

    rank = init_distributed()
    store = embed(settings.pop('inputs'), settings.pop('out'), **settings)
    if rank == 0:
        record_command(store.root)
        report(store)


def report(store: 'EmbeddingStore') -> None:
    from ltvl_mm.retrieval.reading.downloads import load_downloads

    bad = [entry for part in store.parts for entry in part.bad]
    print(f'{len(store)} images in {store.root}; {len(bad)} could not be read')
    downloads = load_downloads(store.root)
    if downloads is not None:
        print(downloads)
    for key, reason in bad[:5]:
        print(escape_controls(f'  {key}: {reason}'))
    if len(bad) > 5:
        print(f'  ... all of them: {store.root}/bad_images.json')


if __name__ == '__main__':
    run_command(main)

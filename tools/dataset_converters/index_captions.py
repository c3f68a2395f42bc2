"""Index captioned images, for training a CLIP on them; resumes when killed.

Inputs: tars as img2dataset writes them (paths, globs, {00000..00099}), folders
of these or of images with captions beside them (a.jpg, a.txt), or .txt lists
of images. Nothing is copied: a training reads images from the tars.
"""

import argparse

from ltvl_mm.utils.command_line import make_parser, run_command
from ltvl_mm.utils.text import escape_controls

_LISTED = 5


def build_parser() -> argparse.ArgumentParser:
    parser = make_parser(__doc__)
    parser.add_argument('images', nargs='+', help='tars, folders or lists')
    parser.add_argument(
        '-o', '--out', required=True, help='folder of the index'
    )
    parser.add_argument(
        '--root', help="folder of the paths in lists (default: a list's own)"
    )
    parser.add_argument(
        '--workers',
        type=int,
        default=2,
        help='processes that read (default: %(default)s)',
    )
    return parser


def main() -> None:
    args = build_parser().parse_args()
    from ltvl_mm.apis.captions import index_captions

    parts = index_captions(
        args.images, args.out, root=args.root, workers=args.workers
    )
    bad = [entry for part in parts for entry in part.bad]
    print(
        f'{sum(part.images for part in parts)} images with captions in '
        f'{args.out}; {sum(part.without_caption for part in parts)} have '
        f'none, {len(bad)} could not be read'
    )
    for key, reason in bad[:_LISTED]:
        print(escape_controls(f'  {key}: {reason}'))
    if len(bad) > _LISTED:
        print(f'  ... all of them: {args.out}/shards/*.json')


if __name__ == '__main__':
    run_command(main)

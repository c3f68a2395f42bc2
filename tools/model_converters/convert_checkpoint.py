"""Convert a checkpoint that our tools refuse into plain data.

Our tools read tensors and plain data only. This tool reads anything, and for
that it RUNS WHATEVER THE FILE CONTAINS: a file of a stranger can read, delete
and send your files. Convert only files whose maker you trust, or convert in a
container without network, home folder and credentials. OUT is safe to load.
"""

import argparse
import sys

from ltvl_mm.utils.command_line import make_parser, run_command


def build_parser() -> argparse.ArgumentParser:
    parser = make_parser(__doc__)
    parser.add_argument('checkpoint', help='file of torch.save')
    parser.add_argument('out', help='file to write')
    parser.add_argument(
        '--trusted',
        action='store_true',
        help='required: you trust the file, or run this in a sandbox',
    )
    parser.add_argument(
        '--weights-only',
        action='store_true',
        help='keep the state dict and leave out everything else',
    )
    return parser


def load_trusted(checkpoint: str) -> object:
    """Return what a file holds; runs the file.

    Raises:
        ValueError: If it is not a regular file, or it cannot be read.
    """
    import torch

    from ltvl_mm.utils.regular_files import check_regular

    check_regular(checkpoint)
    try:
        # The one place of the project that runs a file; see SECURITY.md.
        return torch.load(checkpoint, map_location='cpu', weights_only=False)
    # What torch raises for a broken file depends on where it is broken.
    except Exception as error:
        raise ValueError(
            f'{checkpoint} cannot be read: {type(error).__name__}: '
            f'{error!s:.300}'
        ) from error


def main() -> None:
    args = build_parser().parse_args()
    if not args.trusted:
        sys.exit(
            f'reading {args.checkpoint} here runs whatever it contains; if '
            f'you trust who made it, or are in a sandbox, add --trusted'
        )
    import torch

    from ltvl_mm.utils.io import atomic_write
    from ltvl_mm.utils.mmengine_checkpoints import make_plain_checkpoint

    content = load_trusted(args.checkpoint)
    if isinstance(content, torch.nn.Module):
        content = {'state_dict': content.state_dict()}
    if not isinstance(content, dict):
        sys.exit(
            f'{args.checkpoint} holds a {type(content).__name__} instead of '
            f'a dictionary of weights'
        )
    if args.weights_only:
        content = {'state_dict': content.get('state_dict', content)}
    for place in make_plain_checkpoint(content, drop=True):
        print(f'left out: {place}')
    with atomic_write(args.out) as file:
        torch.save(content, file)
    print(args.out)


if __name__ == '__main__':
    run_command(main)

"""Convert CONTAINER-Light of github.com/allenai/container to ours.

Takes their checkpoint (``model`` or bare weights); writes what
``init_cfg=dict(type='Pretrained', checkpoint=OUT)`` of an ImageClassifier
loads. Strict: a name that is left over or lacking is an error.
"""

import argparse
import sys

from ltvl_mm.utils.command_line import make_parser, run_command


def build_parser() -> argparse.ArgumentParser:
    parser = make_parser(__doc__)
    parser.add_argument('checkpoint', help='.pth file of the authors')
    parser.add_argument('out', help='file to write')
    return parser


def main() -> None:
    args = build_parser().parse_args()
    import torch

    from ltvl_mm.models.backbones.container_weights import (
        rename_container_weights,
    )
    from ltvl_mm.utils.checkpoints import read_checkpoint
    from ltvl_mm.utils.io import atomic_write

    try:
        state = read_checkpoint(args.checkpoint)
        renamed = rename_container_weights(state.get('model', state))
    except ValueError as error:
        sys.exit(f'{args.checkpoint}: {error}')
    with atomic_write(args.out) as file:
        torch.save({'state_dict': renamed}, file)
    print(args.out)


if __name__ == '__main__':
    run_command(main)

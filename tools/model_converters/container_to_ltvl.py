"""Convert CONTAINER-Light of github.com/allenai/container to ours.

Takes their checkpoint (``model`` or bare weights); writes what
``init_cfg=dict(type='Pretrained', checkpoint=OUT)`` of an ImageClassifier
loads. Strict: a name that is left over or lacking is an error.
"""

import argparse
import sys

import torch

from ltvl_mm.models.container_weights import rename_container_weights
from ltvl_mm.utils.checkpoints import read_checkpoint
from ltvl_mm.utils.command_line import run_command
from ltvl_mm.utils.io import atomic_write


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument('checkpoint', help='of the authors, .pth')
    parser.add_argument('out', help='file to write')
    args = parser.parse_args()
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

"""Options of the commands that choose an engine."""

import argparse


def add_engine(parser: argparse._ActionsContainer) -> None:
    """Add ``--engine`` and ``--address`` to a parser or a group of it."""
    parser.add_argument(
        '--engine',
        choices=['local', 'ray'],
        default='local',
        help='local: this process, or those of torchrun or Slurm; ray: Ray',
    )
    parser.add_argument(
        '--address',
        help='address of a Ray cluster, auto for that of this machine '
        '(default: RAY_ADDRESS, else this machine alone)',
    )

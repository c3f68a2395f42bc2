"""Arguments of benchmarks whose defaults depend on the device."""

import argparse
from collections.abc import Mapping
from typing import NamedTuple

from ltvl_mm.utils.command_line import choose_device


class Size(NamedTuple):
    """Default on a GPU, default on a CPU, and help text of an argument."""

    gpu: int
    cpu: int
    text: str


def add_sizes(
    parser: argparse.ArgumentParser, sizes: Mapping[str, Size]
) -> None:
    """Add an argument for each size; None stands for its default."""
    for name, (gpu, cpu, text) in sizes.items():
        parser.add_argument(
            f'--{name}',
            type=int,
            help=f'{text} (default: {gpu} on a GPU, else {cpu})',
        )


def choose_sizes(
    args: argparse.Namespace, sizes: Mapping[str, Size]
) -> argparse.Namespace:
    """Return the arguments with their device and sizes filled in."""
    import torch

    filled = vars(args) | {'device': choose_device(args.device)}
    for name, (gpu, cpu, _) in sizes.items():
        key = name.replace('-', '_')
        if filled[key] is None:
            filled[key] = gpu if torch.cuda.is_available() else cpu
    return argparse.Namespace(**filled)

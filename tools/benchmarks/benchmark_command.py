"""Command of a benchmark: parse, import the measurements, print JSON."""

import argparse
import json
import os
from collections.abc import Mapping
from importlib import import_module

from sizes import Size, choose_sizes


def run_benchmark(
    parser: argparse.ArgumentParser,
    module: str,
    sizes: Mapping[str, Size] | None = None,
    *,
    one_thread: bool = False,
) -> None:
    """Parse the arguments, measure, and print the results as a line of JSON.

    Args:
        parser: Parser of the command; ``--help`` imports nothing else.
        module: Module beside this one. Its ``run`` takes the arguments, and
            returns the results, or None if it has printed all.
        sizes: Arguments whose defaults depend on the device, as
            :func:`sizes.add_sizes` has added them; None (default) for none.
        one_thread: True to compute with one thread.
    """
    args = parser.parse_args()
    if one_thread:  # before numpy and torch are imported
        os.environ.setdefault('OMP_NUM_THREADS', '1')
    measurements = import_module(module)
    found = measurements.run(choose_sizes(args, sizes) if sizes else args)
    if found is not None:
        print(json.dumps(found))


def add_repeats(parser: argparse.ArgumentParser) -> None:
    """Add the argument ``--repeats``."""
    parser.add_argument(
        '--repeats', type=int, default=3, help='runs of each measurement'
    )

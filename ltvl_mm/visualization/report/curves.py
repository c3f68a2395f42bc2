"""Read the scalars that mmengine logs during a training."""

import json
import math
from pathlib import Path

import numpy as np

from ltvl_mm.utils.regular_files import open_regular

# Longest line and largest file that are read: mmengine writes about 300
# bytes per logged iteration.
_LINE = 100_000
_MAX_BYTES = 500_000_000


def read_curves(path: Path) -> tuple[dict[str, np.ndarray], list[str]]:
    """Return the scalars of all starts of a training; the last start wins.

    Args:
        path: Work directory with ``*/vis_data/scalars.json``.

    Returns:
        Scalar -> (M, 2) steps and values; and what is broken, a sentence
        per file.

    Raises:
        ValueError: If there is no such file.
    """
    files = sorted(path.glob('*/vis_data/scalars.json'))
    if not files:
        raise ValueError(f'{path}/*/vis_data/scalars.json does not exist')
    curves: dict[str, dict[float, float]] = {}
    reasons = []
    for file in files:
        try:
            broken = _read_file(file, curves)
        except (ValueError, OSError) as error:
            reasons.append(str(error))
            continue
        if broken:
            reasons.append(f'{broken} broken lines in {file}')
    arrays = {
        name: np.array(sorted(points.items()), np.float64)
        for name, points in curves.items()
    }
    return arrays, reasons


def _read_file(file: Path, curves: dict[str, dict[float, float]]) -> int:
    """Add the lines of a file to the curves; return how many are broken."""
    broken = 0
    with open_regular(file) as lines:
        size = lines.seek(0, 2)
        if size > _MAX_BYTES:
            raise ValueError(
                f'{file} has {size:,} bytes, but at most {_MAX_BYTES:,} are '
                f'read; check that mmengine wrote it'
            )
        lines.seek(0)
        for line in lines:
            entry = parse_scalars(line)
            if entry is None:
                broken += 1
                continue
            step = entry.pop('step')
            for name, value in entry.items():
                curves.setdefault(name, {})[step] = value
    return broken


def parse_scalars(line: bytes) -> dict[str, float] | None:
    """Return the numbers of a line of ``scalars.json``.

    Args:
        line: The line, which a kill may have cut off.

    Returns:
        Scalar -> value, with a finite ``step``; None for any other line.
    """
    if len(line) > _LINE:
        return None
    try:
        entry = json.loads(line)
        if not isinstance(entry, dict):
            return None
        found = {
            name: float(value)
            for name, value in entry.items()
            if type(value) in (int, float)
        }
    # A line that a kill cut off; 5,000 digits; 5,000 brackets.
    except (ValueError, OverflowError, RecursionError):
        return None
    return found if math.isfinite(found.get('step', math.nan)) else None

"""A progress bar that also reads well in a log file."""

import sys

from tqdm import tqdm


def progress_bar(
    *,
    total: int | None,
    title: str,
    unit: str,
    done: int = 0,
    silent: bool = False,
) -> tqdm:
    """Return a bar on stderr: count, rate and time left.

    In a terminal it moves; elsewhere it prints a line at most every 30 s, so
    that a log of a night's work stays readable.

    Args:
        total: How many units there are; None if unknown.
        title: What is being done.
        unit: Name of one unit, e.g. ``'img'``.
        done: Units an earlier run has finished.
        silent: Show nothing, as all ranks but one should.
    """
    terminal = sys.stderr.isatty()
    return tqdm(
        total=total,
        initial=done,
        desc=title,
        unit=f' {unit}',
        file=sys.stderr,
        dynamic_ncols=terminal,
        mininterval=0.1 if terminal else 30,
        ascii=not terminal,
        disable=silent,
    )

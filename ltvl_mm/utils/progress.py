"""A progress bar that also reads well in a log file."""

import sys
from typing import TextIO

from tqdm import tqdm

# Between two lines, where they stay: so that a night's log can be read.
_SECONDS_PER_LINE = 60


def progress_bar(
    *,
    total: int | None,
    title: str,
    unit: str,
    done: int = 0,
    silent: bool = False,
) -> tqdm:
    """Return a bar on stderr: count, rate and time left.

    In a terminal it moves; elsewhere it prints a line when it begins, when
    it ends, and about once a minute between.

    Args:
        total: Number of units; None if unknown.
        title: Title of the bar.
        unit: Name of one unit, e.g. ``'img'``.
        done: Units an earlier run has finished.
        silent: Show nothing, as all ranks but one should.
    """
    terminal = sys.stderr.isatty()
    pause = 0.1 if terminal else _SECONDS_PER_LINE
    return tqdm(
        total=total,
        initial=done,
        desc=title,
        unit=f' {unit}',
        file=sys.stderr if terminal else _Lines(sys.stderr),
        dynamic_ncols=terminal,
        mininterval=pause,
        # By default it speaks up after 10 s, whatever the shortest pause.
        maxinterval=max(pause, 10),
        ascii=not terminal,
        disable=silent,
    )


class _Lines:
    """A stream that ends a line where tqdm would move the cursor."""

    def __init__(self, stream: TextIO) -> None:
        self.stream = stream

    def write(self, text: str) -> None:
        """Write what is more than a move."""
        text = text.replace('\x1b[A', '').strip('\r\n ')
        if text:
            self.stream.write(f'{text}\n')

    def flush(self) -> None:
        """Flush the stream."""
        self.stream.flush()

"""Read the parts of a folder that may be incomplete."""

import os
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import TypeVar

from ltvl_mm.utils.provenance import FILE, read_commands

_Content = TypeVar('_Content')


class PartReader:
    """Read parts, and keep the reason if one cannot be read.

    Args:
        missing: Reasons by part that are known before; None for none.

    Attributes:
        missing: Part -> the reason.
    """

    def __init__(self, missing: dict[str, str] | None = None) -> None:
        self.missing = {} if missing is None else missing

    def read(
        self, part: str, load: Callable[[], _Content], default: _Content
    ) -> _Content:
        """Return what ``load`` returns, or the default if it cannot."""
        try:
            return load()
        except (ValueError, OSError) as error:
            self.add(part, str(error))
        # A file of somebody else may be broken in any way; which error a
        # decoder raises for it (RecursionError, MemoryError, ...) is open.
        except Exception as error:  # noqa: BLE001
            self.add(part, f'it is broken: {type(error).__name__}: {error}')
        return default

    def add(self, part: str, reason: str) -> None:
        """Add a reason, after those that the part has."""
        before = self.missing.get(part)
        short = reason if len(reason) <= 1000 else f'{reason[:1000]}…'
        self.missing[part] = f'{before}; {short}' if before else short

    def read_commands(self, *folders: Path) -> list[dict]:
        """Return the commands that made a folder, all that are complete.

        Args:
            folders: Folders that may have a command file; one is enough.
        """
        found, there = [], [f for f in folders if os.path.lexists(f / FILE)]
        for folder in there:
            nothing: tuple[list[dict], int] = ([], 0)
            commands, broken = self.read(
                'commands', partial(read_commands, folder), nothing
            )
            found += commands
            if broken:
                self.add(
                    'commands', f'{broken} broken lines in {folder / FILE}'
                )
        if not there:
            self.add(
                'commands',
                f'{folders[0] / FILE} does not exist; the tools of ltvl_mm '
                f'write it when they train, test, embed or retrieve',
            )
        return found

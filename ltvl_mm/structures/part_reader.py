"""Reads the parts of a folder that may be incomplete."""

from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

from ltvl_mm.utils.provenance import FILE, read_commands

_Content = TypeVar('_Content')


class PartReader:
    """Reads parts, and keeps why one could not be.

    Attributes:
        missing: Part -> the reason.
    """

    def __init__(self) -> None:
        self.missing: dict[str, str] = {}

    def read(
        self, part: str, load: Callable[[], _Content], default: _Content
    ) -> _Content:
        """Return what ``load`` does, or the default if it cannot."""
        try:
            return load()
        except (ValueError, OSError) as error:
            self.missing[part] = str(error)
            return default

    def read_commands(self, *folders: Path) -> list[dict]:
        """Return the commands that made a folder, all that are whole.

        Args:
            folders: Where they may be written down; one is enough.
        """
        found, there = [], [f for f in folders if (f / FILE).exists()]
        for folder in there:
            commands, broken = self.read(
                'commands',
                lambda folder=folder: read_commands(folder),
                ([], 0),
            )
            found += commands
            if broken:
                self.missing['commands'] = (
                    f'{broken} broken lines in {folder / FILE}'
                )
        if not there:
            self.missing['commands'] = (
                f'{folders[0] / FILE} does not exist; the tools of ltvl_mm '
                f'write it when they train, test, embed or retrieve'
            )
        return found

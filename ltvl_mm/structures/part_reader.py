"""Reads the parts of a folder that may be incomplete."""

from collections.abc import Callable
from typing import TypeVar

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

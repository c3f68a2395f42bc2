"""Packages whose names are imported at first use (PEP 562)."""

from collections.abc import Callable, Mapping, Sequence
from importlib import import_module
from typing import Any


def attach_names(
    package: str, homes: Mapping[str, Sequence[str]]
) -> tuple[Callable[[str], Any], Callable[[], list[str]], list[str]]:
    """Return ``__getattr__``, ``__dir__`` and ``__all__`` of a package.

    Args:
        package: Dotted name of the package, its ``__name__``.
        homes: Public names by the submodule that defines them.
    """
    modules = {name: home for home, names in homes.items() for name in names}

    def find_name(name: str) -> Any:  # noqa: ANN401
        """Import the submodule that defines a name."""
        if name not in modules:
            raise AttributeError(f'module {package!r} has no attribute {name}')
        return getattr(import_module(f'{package}.{modules[name]}'), name)

    return find_name, lambda: sorted(modules), sorted(modules)

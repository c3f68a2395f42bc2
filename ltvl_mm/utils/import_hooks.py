"""Act on the import of another package, without importing it."""

import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from importlib.machinery import ModuleSpec
from types import ModuleType


def run_after_import(name: str, run: Callable[[], object]) -> None:
    """Run a function now if a module is imported, else right after its import.

    An exception of the function makes the import fail.

    Args:
        name: Dotted name of the module.
        run: Function without arguments.
    """

    @contextmanager
    def call_at_end() -> Iterator[None]:
        yield
        run()

    if name in sys.modules:
        run()
    else:
        wrap_import(name, call_at_end)


def wrap_import(
    name: str, enter: Callable[[], AbstractContextManager]
) -> None:
    """Execute a module within a context when it is imported.

    Nothing happens if it is imported already.

    Args:
        name: Dotted name of the module.
        enter: Function that returns the context.
    """
    sys.meta_path.insert(0, _Finder(name, enter))


class _Finder:
    """Finder of one module; leaves the search to the other finders.

    It stays in ``sys.meta_path``, so that a module that is removed from
    ``sys.modules`` and imported again is wrapped again.
    """

    def __init__(
        self, name: str, enter: Callable[[], AbstractContextManager]
    ) -> None:
        self._name = name
        self._enter = enter

    def find_spec(
        self,
        name: str,
        path: Sequence[str] | None = None,
        target: ModuleType | None = None,
    ) -> ModuleSpec | None:
        """Return the spec of the module with a loader that is wrapped."""
        if name != self._name:
            return None
        spec = self._ask_others(path, target)
        if spec is None or spec.loader is None:
            return spec
        execute = spec.loader.exec_module

        def execute_within(module: ModuleType) -> None:
            with self._enter():
                execute(module)

        # The loader belongs to this spec alone.
        spec.loader.exec_module = execute_within  # type: ignore[method-assign]
        return spec

    def _ask_others(
        self, path: Sequence[str] | None, target: ModuleType | None
    ) -> ModuleSpec | None:
        # Only those behind this one: another _Finder may wrap the same module.
        start = sys.meta_path.index(self) + 1
        for finder in sys.meta_path[start:]:
            spec = finder.find_spec(self._name, path, target)
            if spec is not None:
                return spec
        return None

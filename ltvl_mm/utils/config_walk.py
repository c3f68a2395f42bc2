"""Look through the parts of a config, however they are nested."""

from collections.abc import Collection, Iterator, Mapping
from typing import Any


def walk_config(node: object, *, skip: Collection[str] = ()) -> Iterator[Any]:
    """Yield all mappings of a config or of a part of it, outer ones first.

    Args:
        node: Mapping, list or tuple; anything else has no parts.
        skip: Keys whose values are not looked through.
    """
    if isinstance(node, Mapping):
        yield node
        node = [child for key, child in node.items() if key not in skip]
    if isinstance(node, (list, tuple)):
        for child in node:
            yield from walk_config(child, skip=skip)


def name_type(sub_config: Mapping[str, Any]) -> str:
    """Return the type of a part of a config without its scope, or ``''``.

    Args:
        sub_config: Mapping whose ``type`` is a name such as ``'ltvl_mm.X'``,
            or a class.
    """
    kind = sub_config.get('type') or ''
    return str(getattr(kind, '__name__', kind)).rpartition('.')[2]


def find_hook(cfg: Mapping[str, Any], name: str) -> Mapping[str, Any] | None:
    """Return the first of the custom hooks of a type; None without any."""
    for hook in cfg.get('custom_hooks') or ():
        if name_type(hook) == name:
            return hook
    return None

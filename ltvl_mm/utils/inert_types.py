"""Data-only stand-ins for the types that mmengine's checkpoints pickle.

mmengine stores log histories with ``getattr`` and NumPy's own reconstruction
functions. ``torch.load(weights_only=True)`` refuses them, and allowing the
real ones lets a file run code. The stand-ins have the same names in a pickle
and only keep numbers, so that no callable of Python or NumPy is reachable.
"""

import re
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np
import torch

# Numbers, booleans and fixed-width text: no objects, no structures.
_DTYPE = re.compile(r'[<>=|]?([biufc](1|2|4|8|16)|[US]\d{1,6}|\?)')
_LOCK = threading.Lock()


def _stands_for(*names: str) -> Callable[[Any], Any]:
    """Name an object as pickles name the object that it stands for."""

    def rename(target: Any) -> Any:  # noqa: ANN401
        target.__module__, target.__qualname__ = names
        target.__name__ = names[1]
        return target

    return rename


@_stands_for('mmengine.logging.history_buffer', 'HistoryBuffer')
class StoredHistory:
    """Content of mmengine's HistoryBuffer.

    Attributes:
        log_history: (N,) logged values.
        count_history: (N,) number of samples of each value.
        max_length: Maximum N.
    """

    log_history: np.ndarray
    count_history: np.ndarray
    max_length: int

    def __setstate__(self, state: dict) -> None:
        logs, counts = (
            to_plain(state[name])
            for name in ('_log_history', '_count_history')
        )
        if not (
            isinstance(logs, np.ndarray)
            and isinstance(counts, np.ndarray)
            and logs.shape == counts.shape == (len(logs),)
        ):
            raise ValueError('a log history is not two arrays of one length')
        self.log_history, self.count_history = logs, counts
        self.max_length = int(state['max_length'])


@_stands_for('builtins', 'getattr')
def _get_nothing(owner: object, name: str) -> None:
    """Return None where a pickle names a method of HistoryBuffer."""


@_stands_for('numpy', 'ndarray')
class _ArrayName:
    """Name of NumPy's array type; cannot be created."""

    def __new__(cls, *args: object) -> '_ArrayName':
        raise ValueError('an array is stored in a form that is not supported')


@_stands_for('numpy', 'dtype')
class _StoredDtype:
    """A NumPy dtype of numbers or fixed-width text."""

    def __init__(self, kind: str, *options: object) -> None:
        if not (isinstance(kind, str) and _DTYPE.fullmatch(kind)):
            raise ValueError(f'arrays of dtype {kind!r:.40} are not read')
        self.dtype = np.dtype(kind)

    def __setstate__(self, state: tuple) -> None:
        # (version, byte order, and nothing else for plain numbers)
        order = state[1] if state[1] in ('<', '>') else '='
        self.dtype = self.dtype.newbyteorder(order)


class _StoredArray:
    """A NumPy array, kept in ``value``."""

    value: np.ndarray

    def __init__(self, *args: object) -> None:
        pass

    def __setstate__(self, state: tuple) -> None:
        _, shape, dtype, is_fortran, raw = state
        if not (isinstance(dtype, _StoredDtype) and isinstance(raw, bytes)):
            raise ValueError('an array holds objects instead of numbers')
        flat = np.frombuffer(raw, dtype.dtype)
        order = 'F' if is_fortran else 'C'
        self.value = flat.reshape(shape, order=order).copy(order='K')


def _read_scalar(dtype: _StoredDtype, raw: bytes) -> np.generic:
    if not (isinstance(dtype, _StoredDtype) and isinstance(raw, bytes)):
        raise ValueError('a number is stored in a form that is not supported')
    (value,) = np.frombuffer(raw, dtype.dtype)
    return value


def _list_stand_ins() -> list[Any]:
    found: list[Any] = [StoredHistory, _get_nothing, _ArrayName, _StoredDtype]
    # NumPy 1 and NumPy 2 name their module differently.
    for module in ('numpy.core.multiarray', 'numpy._core.multiarray'):
        array = type('_reconstruct', (_StoredArray,), {})
        found.append(_stands_for(module, '_reconstruct')(array))

        def scalar(dtype: _StoredDtype, raw: bytes) -> np.generic:
            return _read_scalar(dtype, raw)

        found.append(_stands_for(module, 'scalar')(scalar))
    return found


_STAND_INS = _list_stand_ins()


@contextmanager
def only_inert_types() -> Iterator[None]:
    """Let ``torch.load(weights_only=True)`` build stand-ins and nothing else.

    Types that other libraries have allowed, such as ``getattr`` by mmengine,
    are refused inside and allowed again afterwards.
    """
    allowed = torch.serialization
    with _LOCK:
        before = allowed.get_safe_globals()
        allowed.clear_safe_globals()
        allowed.add_safe_globals(_STAND_INS)
        try:
            yield
        finally:
            allowed.clear_safe_globals()
            allowed.add_safe_globals(before)


def to_plain(value: Any) -> Any:  # noqa: ANN401
    """Replace stored arrays by NumPy arrays, inside containers too.

    Dictionaries and lists are changed in place: a state dict keeps its
    ``_metadata``.
    """
    return _to_plain(value, {})


def _to_plain(value: Any, done: dict[int, tuple[Any, Any]]) -> Any:  # noqa: ANN401
    """Replace a value; ``done`` holds each container and its replacement.

    A pickle can hold a list that contains itself, and a few tuples that
    contain one another 2^40 times.
    """
    if isinstance(value, _StoredArray):
        return value.value
    if not isinstance(value, (dict, list, tuple)):
        return value
    if id(value) in done:
        return done[id(value)][1]
    if isinstance(value, tuple):
        plain = type(value)(_to_plain(item, done) for item in value)
        # The tuple is kept, so that no other gets its id.
        done[id(value)] = value, plain
        return plain
    done[id(value)] = value, value
    items = value.items() if isinstance(value, dict) else enumerate(value)
    for key, item in list(items):
        value[key] = _to_plain(item, done)
    return value

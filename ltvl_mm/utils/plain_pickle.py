"""Pickle interpreter that builds plain trees and calls nothing.

Python's unpickler calls the functions and classes that a file names. This
one has no way to call: names stay text, and what a file wants to call or
build becomes a :class:`Call` or a :class:`Stored` object for the reader.
"""

import pickletools
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

_CONSTANTS = {'NONE': None, 'NEWTRUE': True, 'NEWFALSE': False}
_VALUES = {
    'BININT',
    'BININT1',
    'BININT2',
    'LONG1',
    'BINFLOAT',
    'BINUNICODE',
    'SHORT_BINSTRING',
}
_EMPTY = {'EMPTY_LIST': list, 'EMPTY_DICT': dict, 'EMPTY_TUPLE': tuple}
_TUPLES = {'TUPLE1': 1, 'TUPLE2': 2, 'TUPLE3': 3}
_MARK = object()


@dataclass(frozen=True)
class Name:
    """Dotted name of a function or class; only text."""

    text: str


@dataclass
class Call:
    """A call that a file asks for; it is not made."""

    name: Name
    arguments: tuple


@dataclass
class Stored:
    """An object of a class that a file names: the class name and its state."""

    name: Name
    state: Any = field(default=None, repr=False)


def read_plain_pickle(
    data: bytes, *, load_storage: Callable[[tuple], Any]
) -> Any:  # noqa: ANN401
    """Return the content of a pickle as a tree of plain values.

    Args:
        data: A whole pickle.
        load_storage: Function that gets a persistent id, as torch writes it
            for tensor storages, and returns the value that replaces it.

    Raises:
        ValueError: If the pickle is broken, or uses instructions that
            torch does not write for TorchScript archives.
    """
    machine = _Machine(load_storage)
    try:
        for opcode, argument, _ in pickletools.genops(data):
            if opcode.name == 'STOP':
                (result,) = machine.stack
                return result
            machine.step(opcode.name, argument)
    except (IndexError, KeyError, TypeError, ValueError) as error:
        raise ValueError(f'its pickle is broken: {error!s:.200}') from None
    raise ValueError('its pickle has no end')


class _Machine:
    """Stack and memo of a pickle that is read."""

    def __init__(self, load_storage: Callable[[tuple], Any]) -> None:
        self.stack: list[Any] = []
        self.memo: dict[int, Any] = {}
        self.load_storage = load_storage

    def step(self, name: str, argument: Any) -> None:  # noqa: ANN401
        """Follow one instruction."""
        push = self.stack.append
        if name == 'PROTO':
            return
        if name in _CONSTANTS:
            push(_CONSTANTS[name])
        elif name in _VALUES:
            push(argument)
        elif name in _EMPTY:
            push(_EMPTY[name]())
        elif name == 'MARK':
            push(_MARK)
        elif name in ('BINPUT', 'LONG_BINPUT'):
            self.memo[argument] = self.stack[-1]
        elif name in ('BINGET', 'LONG_BINGET'):
            push(self.memo[argument])
        elif name == 'GLOBAL':
            push(Name('.'.join(argument.split(' '))))
        else:
            self._combine(name)

    def _combine(self, name: str) -> None:
        """Follow an instruction that uses values on the stack."""
        stack = self.stack
        if name in _TUPLES:
            count = _TUPLES[name]
            items = tuple(stack[-count:])
            del stack[-count:]
            stack.append(items)
        elif name == 'TUPLE':
            stack.append(tuple(self._pop_to_mark()))
        elif name == 'APPEND':
            self._extend([stack.pop()])
        elif name == 'APPENDS':
            self._extend(self._pop_to_mark())
        elif name == 'SETITEM':
            self._update([stack.pop(-2), stack.pop()])
        elif name == 'SETITEMS':
            self._update(self._pop_to_mark())
        elif name == 'BINPERSID':
            stack.append(self.load_storage(stack.pop()))
        elif name in ('REDUCE', 'NEWOBJ', 'BUILD'):
            self._record(name, stack.pop())
        else:
            raise ValueError(f'the instruction {name} is not supported')

    def _record(self, name: str, argument: Any) -> None:  # noqa: ANN401
        """Note down a call or an object instead of making it."""
        target = self.stack[-1]
        if name == 'BUILD':
            if not isinstance(target, Stored):
                raise ValueError(f'{target!r:.80} cannot have a state')
            target.state = argument
            return
        if not isinstance(target, Name):
            raise ValueError(f'{target!r:.80} is called')
        is_call = name == 'REDUCE'
        self.stack[-1] = Call(target, argument) if is_call else Stored(target)

    def _pop_to_mark(self) -> list[Any]:
        items: list[Any] = []
        while (item := self.stack.pop()) is not _MARK:
            items.append(item)
        return items[::-1]

    def _extend(self, items: list[Any]) -> None:
        if not isinstance(self.stack[-1], list):
            raise ValueError(
                'items are appended to an object that is not a list'
            )
        self.stack[-1].extend(items)

    def _update(self, items: list[Any]) -> None:
        if not isinstance(self.stack[-1], dict):
            raise ValueError(
                'entries are set in an object that is not a dictionary'
            )
        self.stack[-1].update(zip(items[::2], items[1::2], strict=True))

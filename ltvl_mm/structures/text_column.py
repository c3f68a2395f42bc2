"""Columns of strings that forked processes share."""

import operator
from collections.abc import Iterable, Iterator, Sequence

import pyarrow as pa

# Rows that are Python strings at a time while a column is iterated.
_CHUNK = 10_000


class TextColumn(Sequence):
    """Immutable sequence of strings, stored in one Arrow buffer.

    A tuple of Python strings takes 50 to 90 bytes more per string, and
    reading one writes its reference count, so that every forked data-loader
    worker ends up with a copy of its own.

    Args:
        values: N strings; an Arrow array is used without a copy if possible.

    Raises:
        ValueError: If a value is missing (null).
    """

    array: pa.Array

    def __init__(self, values: Iterable[str] | pa.ChunkedArray) -> None:
        if isinstance(values, TextColumn):
            values = values.array
        if isinstance(values, pa.ChunkedArray):
            # 64-bit offsets: one buffer holds more than 2 GB.
            values = values.cast(pa.large_string()).combine_chunks()
        elif isinstance(values, pa.Array):
            values = values.cast(pa.large_string())
        else:
            values = pa.array(list(values), pa.large_string())
        if isinstance(values, pa.ChunkedArray):  # of old pyarrow versions
            values = pa.concat_arrays(values.chunks)
        if values.null_count:
            raise ValueError(
                f'{values.null_count} of {len(values)} strings are missing'
            )
        self.array = values
        # Views of Arrow's buffers: an Arrow scalar takes 2 us.
        _, offsets, text = values.buffers()
        stop = 8 * (values.offset + len(values) + 1)
        self._offsets = (
            memoryview(offsets)[8 * values.offset : stop].cast('q')
            if len(values)
            else ()
        )
        self._text = memoryview(b'' if text is None else text)

    def __reduce__(self) -> tuple:
        return TextColumn, (self.array,)  # views cannot be pickled

    def __len__(self) -> int:
        return len(self.array)

    def __getitem__(self, index: int | slice) -> 'str | TextColumn':
        """Return a string, or a column that shares memory with this one."""
        if isinstance(index, slice):
            start, stop, step = index.indices(len(self))
            if step == 1:
                return TextColumn(
                    self.array.slice(start, max(stop - start, 0))
                )
            return TextColumn([self[row] for row in range(start, stop, step)])
        row = operator.index(index)
        size = len(self._offsets) - 1
        if not -size <= row < size:
            raise IndexError(f'index {row} of {len(self)} strings')
        row %= size
        start, stop = self._offsets[row], self._offsets[row + 1]
        return str(self._text[start:stop], 'utf-8')

    def __iter__(self) -> Iterator[str]:
        for start in range(0, len(self), _CHUNK):
            yield from self.array.slice(start, _CHUNK).to_pylist()

    def __eq__(self, other: object) -> bool:
        if isinstance(other, TextColumn):
            return self.array.equals(other.array)
        if isinstance(other, (tuple, list)):
            return list(self) == list(other)
        return NotImplemented

    __hash__ = None  # type: ignore[assignment]  # unhashable, as a list

    def __repr__(self) -> str:
        return f'TextColumn({len(self)} strings)'

    def __deepcopy__(self, memo: dict) -> 'TextColumn':
        return self  # immutable


def check_text(column: pa.ChunkedArray, name: str) -> pa.ChunkedArray:
    """Return a column of strings of a file if all are UTF-8.

    Arrow reads whatever bytes a file holds, and fails only where a string is
    used.

    Args:
        column: The column.
        name: Its name, for the message.

    Raises:
        ValueError: If a string is not UTF-8; names the column.
    """
    try:
        column.validate(full=True)
    except pa.ArrowInvalid as error:
        raise ValueError(f'the column {name} is not text: {error}') from None
    return column

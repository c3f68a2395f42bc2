"""A column of strings behaves like a tuple of them."""

import pickle

import pyarrow as pa
import pytest

from ltvl_mm.structures.text_column import TextColumn

STRINGS = ('a', '', 'crème brûlée', '猫', '', 'the end')
SOURCES = {
    'tuple': lambda: STRINGS,
    'generator': lambda: (text for text in STRINGS),
    'string array': lambda: pa.array(STRINGS),
    'large_string array': lambda: pa.array(STRINGS, pa.large_string()),
    'chunked array': lambda: pa.chunked_array([STRINGS[:2], STRINGS[2:]]),
    'sliced array': lambda: pa.array(['x', *STRINGS, 'y']).slice(1, 6),
    'sliced large array': lambda: pa.array(
        ['é', *STRINGS, 'y'], pa.large_string()
    ).slice(1, 6),
    'column': lambda: TextColumn(STRINGS),
    'part of a column': lambda: TextColumn(('x', *STRINGS, 'y'))[1:7],
    'pickled part': lambda: pickle.loads(
        pickle.dumps(TextColumn(('x', *STRINGS))[1:])
    ),
}


@pytest.mark.parametrize('source', SOURCES)
def test_equals_the_tuple_of_its_strings(source):
    column = TextColumn(SOURCES[source]())
    assert column == STRINGS
    assert [column[row] for row in range(-6, 6)] == [*STRINGS, *STRINGS]
    assert tuple(column) == STRINGS
    for part in (slice(2, 5), slice(4, 1), slice(None, None, -2), slice(9)):
        assert column[part] == STRINGS[part], part
        rows = range(len(STRINGS[part]))
        assert [column[part][row] for row in rows] == list(STRINGS[part])


@pytest.mark.parametrize('row', [6, -7])
def test_raises_if_an_index_is_outside(row):
    with pytest.raises(IndexError, match=f'index {row} of 6 strings'):
        TextColumn(STRINGS)[row]


@pytest.mark.parametrize(
    'values', [(), pa.chunked_array([], pa.string()), TextColumn('abc')[3:]]
)
def test_an_empty_column_has_no_strings(values):
    column = TextColumn(values)
    assert (len(column), list(column)) == (0, [])
    assert pickle.loads(pickle.dumps(column)) == ()
    for row in (0, -1):
        with pytest.raises(IndexError, match='of 0 strings'):
            column[row]


def test_a_column_of_empty_strings():
    assert [TextColumn(['', ''])[row] for row in (0, 1)] == ['', '']


def test_raises_if_a_string_is_missing():
    with pytest.raises(ValueError, match='1 of 2 strings are missing'):
        TextColumn(pa.array(['a', None]))

import numpy as np
import pytest

from ltvl_mm.structures.class_names import (
    hash_class_names,
    load_class_names,
    rename_classes,
)


def test_names_keep_their_order_and_may_repeat(tmp_path):
    (tmp_path / 'names.txt').write_text('missile\n crane \nmissile\n')
    names = ('missile', 'crane', 'missile')
    assert load_class_names(tmp_path / 'names.txt') == names
    assert load_class_names(str(tmp_path / 'names.txt')) == names
    assert load_class_names(list(names)) == names


def test_names_are_utf8(tmp_path):
    (tmp_path / 'names.txt').write_bytes('crème brûlée\n'.encode())
    assert load_class_names(tmp_path / 'names.txt') == ('crème brûlée',)


def test_a_missing_file_is_named(tmp_path):
    with pytest.raises(ValueError, match=r'none\.txt does not exist'):
        load_class_names(tmp_path / 'none.txt')


def test_a_line_without_a_name_is_numbered(tmp_path):
    (tmp_path / 'names.txt').write_text('cat\n \ndog\n')
    with pytest.raises(ValueError, match='line 2 has no class name'):
        load_class_names(tmp_path / 'names.txt')


@pytest.mark.parametrize('as_file', [True, False])
def test_an_empty_list_is_refused(tmp_path, as_file):
    (tmp_path / 'names.txt').touch()
    with pytest.raises(ValueError, match='no class names'):
        load_class_names(tmp_path / 'names.txt' if as_file else [])


def test_the_hash_tells_orders_and_borders_apart():
    lists = [('a', 'b'), ('b', 'a'), ('ab',), ('a', 'b', 'b')]
    assert len({hash_class_names(names) for names in lists}) == 4
    assert hash_class_names(['a', 'b']) == hash_class_names(('a', 'b'))


WRONG_NAMES = {
    'numbers': ([1, 2], r'at index 0 is the int 1; give the name'),
    'one number': (['cat', 2.5], 'at index 1 is the float 2.5'),
    'None in a list': (['cat', None], 'at index 1 is None'),
    'bytes in a list': ([b'cat'], 'at index 0 is 3 bytes'),
    'long value': ([['x'] * 10**5], 'at index 0 is the list'),
    'empty name': (['cat', ' '], "index 1 of .* has no class name: it is ' '"),
    'bytes': (b'cat', 'must be a list of strings in label order'),
    'dict': ({0: 'cat'}, r"got the dict \{0: 'cat'\}"),
    'set': ({'cat'}, "got the set {'cat'}"),
    'names in one string': ('cat, dog, ' * 10**5, 'file cat, .* not exist;'),
    'number': (7, 'got the int 7'),
    'array': (np.arange(3), 'at index 0 is the int64 '),
}


@pytest.mark.parametrize('case', WRONG_NAMES)
def test_names_that_are_no_strings_are_named_with_their_index(case):
    names, message = WRONG_NAMES[case]
    with pytest.raises(ValueError, match=message) as caught:
        load_class_names(names)
    assert len(str(caught.value)) < 420


def test_an_array_of_strings_holds_names():
    assert load_class_names(np.array(['cat', 'dog'])) == ('cat', 'dog')


def test_edits_of_repeated_names_stay_with_their_class():
    before = ('crane', 'owl', 'crane')
    edited = ('crane bird', 'owl', 'crane machine')
    assert rename_classes(before, before, edited) == edited
    names = ('crane', 'dog', 'crane', 'crane')
    assert rename_classes(names, before, edited) == (
        'crane bird',
        'dog',
        'crane machine',
        'crane',
    )

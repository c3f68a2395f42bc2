import pytest

from ltvl_mm.structures.image_list import read_image_list


@pytest.fixture
def write_list(tmp_path):
    def write(text):
        (tmp_path / 'list.txt').write_text(text, encoding='utf-8')
        return tmp_path / 'list.txt'

    return write


def test_paths_may_hold_spaces_and_numbers(write_list):
    found = read_image_list(write_list('a/b.jpg 3\nmy dog 2.jpg 0\né 7 12\n'))
    assert found.paths == ('a/b.jpg', 'my dog 2.jpg', 'é 7')
    assert found.labels.tolist() == [3, 0, 12]
    assert found.labels.dtype == 'int64'
    assert len(found) == 3


def test_a_list_from_windows_reads_the_same(write_list):
    found = read_image_list(write_list('a.jpg 1\r\nb.jpg 2\r\n'))
    assert (found.paths, found.labels.tolist()) == (('a.jpg', 'b.jpg'), [1, 2])


def test_a_missing_list_is_named(tmp_path):
    with pytest.raises(ValueError, match=r'none\.txt does not exist'):
        read_image_list(tmp_path / 'none.txt')


def test_an_empty_list_is_refused(write_list):
    with pytest.raises(ValueError, match='is empty'):
        read_image_list(write_list(''))


@pytest.mark.parametrize(
    'line', ['b.jpg', '5', 'b.jpg -1', 'b.jpg 1.5', '#b 1']
)
def test_a_line_without_a_label_is_numbered_and_shown(write_list, line):
    with pytest.raises(ValueError, match=rf"line 2: .*got '{line}'"):
        read_image_list(write_list(f'a.jpg 0\n{line}\nc.jpg 1\n'))


def test_the_largest_label_is_one_less_than_the_classes(write_list):
    file = write_list('a.jpg 0\nb.jpg 2\n')
    assert len(read_image_list(file, num_classes=3)) == 2
    with pytest.raises(
        ValueError, match=r'line 2: label 2 lies outside \[0, 2\)'
    ):
        read_image_list(file, num_classes=2)

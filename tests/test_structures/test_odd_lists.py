"""All readers of lists, on one table of odd lists."""

import re
from pathlib import PurePosixPath

import numpy as np
import pytest
from odd_inputs.lists import IMAGE_LISTS, NAME_LISTS

from ltvl_mm.clip.templates import find_templates
from ltvl_mm.datasets.long_tail_files import read_labeled_images
from ltvl_mm.retrieval.metadata_filter import read_hosts
from ltvl_mm.retrieval.reading.shards import find_shards
from ltvl_mm.structures.class_counts import load_class_counts
from ltvl_mm.structures.class_names import load_class_names, write_class_names
from ltvl_mm.structures.image_list import (
    ImageList,
    read_image_list,
    read_listed_paths,
    write_image_list,
)
from ltvl_mm.structures.store_files import count_lines
from ltvl_mm.utils.text import split_lines


@pytest.fixture(params=IMAGE_LISTS.items(), ids=lambda item: item[0])
def images(request, tmp_path):
    _, (data, expected) = request.param
    (tmp_path / 'list.txt').write_bytes(data)
    return tmp_path / 'list.txt', expected


@pytest.fixture(params=NAME_LISTS.items(), ids=lambda item: item[0])
def names(request, tmp_path):
    _, (data, expected) = request.param
    (tmp_path / 'names.txt').write_bytes(data)
    return tmp_path / 'names.txt', expected


def check(read, file, expected):
    """Return what is read, or check the error; it names the file."""
    if not isinstance(expected, str):
        return read(file)
    with pytest.raises(ValueError, match=re.escape(expected)) as info:
        read(file)
    assert file.name in str(info.value)
    return None


def test_images_and_labels(images):
    file, expected = images
    found = check(read_image_list, file, expected)
    if found:
        pairs = zip(found.paths, found.labels.tolist(), strict=True)
        assert list(pairs) == expected
        data = split_lines(file.read_bytes().decode('utf-8-sig'))
        for line, path in zip(found.lines, found.paths, strict=True):
            assert PurePosixPath(path).name in data[line - 1]


def test_class_counts(images):
    file, expected = images
    found = check(lambda file: load_class_counts(file, 8), file, expected)
    if found is not None:
        labels = [label for _, label in expected]
        assert found.tolist() == [labels.count(k) for k in range(8)]


def test_images_to_embed(images):
    file, expected = images
    if expected == 'empty':
        expected = 'no image'
    read = lambda file: find_shards([str(file)])  # noqa: E731
    shards = check(read, file, expected)
    if shards:
        found = [key for shard in shards for key, _ in shard.files]
        assert found == sorted(path for path, _ in expected)


def test_written_list_is_read_back(images):
    file, expected = images
    if isinstance(expected, str):
        return
    new = file.with_name('new.txt')
    paths, labels = zip(*expected, strict=True)
    write_image_list(new, ImageList(paths, np.array(labels)))
    found = read_image_list(new)
    assert (found.paths, found.labels.tolist()) == (paths, list(labels))
    assert list(read_listed_paths(new)) == list(paths)


def test_class_names(names):
    file, expected = names
    found = check(load_class_names, file, expected)
    if found:
        assert found == expected
        write_class_names(file.with_name('new.txt'), found)
        assert load_class_names(file.with_name('new.txt')) == expected


def test_names_of_a_data_set(names):
    file, expected = names
    source = file.with_name('list.txt')
    count = 1 if isinstance(expected, str) else len(expected)
    source.write_text(''.join(f'{k}.jpg {k}\n' for k in range(count)))
    read = lambda file: read_labeled_images(source, file)[1]  # noqa: E731
    found = check(read, file, expected)
    assert found is None or found == expected


def test_prompt_templates(names):
    file, expected = names
    if not isinstance(expected, str):
        assert find_templates(str(file)) == expected


def test_hosts(tmp_path):
    file = tmp_path / 'hosts.txt'
    file.write_bytes(b'\xef\xbb\xbf# good\r\nB.org a.org\r\n\r\n\tc.org\r\n')
    assert read_hosts([str(file), 'D.org']) == (
        'a.org',
        'b.org',
        'c.org',
        'd.org',
    )


def test_keys_of_a_store_keep_all_but_line_ends(tmp_path):
    file = tmp_path / 'keys.txt'
    file.write_bytes('\ufeffa\u2028b\r\n# c\r\n\r\nd\r\n'.encode())
    assert count_lines(file) == 4


@pytest.mark.parametrize('path', ['a\nb.jpg', 'a\rb.jpg', ' a.jpg', 'a ', ''])
def test_path_that_a_list_cannot_hold_is_refused(tmp_path, path):
    with pytest.raises(ValueError, match='a list cannot hold the path'):
        write_image_list(tmp_path / 'a.txt', ImageList((path,), np.array([0])))


@pytest.mark.parametrize('name', ['a\nb', '# a'])
def test_name_that_a_list_cannot_hold_is_refused(tmp_path, name):
    with pytest.raises(ValueError, match='a list of names cannot hold'):
        write_class_names(tmp_path / 'a.txt', [name])


def test_label_beyond_all_reason_is_refused(tmp_path):
    (tmp_path / 'a.txt').write_text(f'a.jpg {10**30}\n')
    with pytest.raises(ValueError, match=r'line 1: label 1.* lies outside'):
        read_image_list(tmp_path / 'a.txt')


def test_repeated_images_are_read_once_and_said(tmp_path, monkeypatch):
    logs = []
    monkeypatch.setattr(
        'mmengine.logging.print_log',
        lambda text, *_, **__: logs.append(text),
    )
    file = tmp_path / 'a.txt'
    file.write_text(f'a.jpg 0\n./a.jpg 0\nb.jpg\n{tmp_path}//a.jpg 1\n')
    found = read_listed_paths(file, root=tmp_path)
    assert list(found) == ['a.jpg', 'b.jpg']
    assert logs == [
        f'{file}: 2 lines repeat an image, which is read once: '
        f'a.jpg (line 2), a.jpg (line 4)'
    ]


def test_absolute_path_outside_of_the_root_is_refused(tmp_path):
    (tmp_path / 'a.txt').write_text('a.jpg 0\n/etc/passwd 1\n')
    with pytest.raises(ValueError, match=r'a\.txt, line 2: .*leaves the im'):
        read_listed_paths(tmp_path / 'a.txt', root=tmp_path)
    assert '/etc/passwd' in read_listed_paths(tmp_path / 'a.txt')

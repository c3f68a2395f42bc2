import os

import numpy as np
import pytest

from ltvl_mm.datasets.split_check import (
    check_unique_paths,
    compare_splits,
    merge_repeats,
)
from ltvl_mm.structures.image_list import ImageList, read_image_list


@pytest.fixture
def folder(tmp_path):
    """Five files: two with the same bytes, two links to a third."""
    (tmp_path / 'in').mkdir()
    for name, data in (
        ('a.jpg', b'one'),
        ('same.jpg', b'one'),
        ('other.jpg', b'two'),  # of the same size
        ('b.jpg', b'three'),
    ):
        (tmp_path / name).write_bytes(data)
    os.symlink(tmp_path / 'b.jpg', tmp_path / 'in/soft.jpg')
    os.link(tmp_path / 'b.jpg', tmp_path / 'in/hard.jpg')
    return tmp_path


def compare(folder, splits, **options):
    lists = {}
    for split, text in splits.items():
        (folder / f'{split}.txt').write_text(text)
        lists[split] = read_image_list(folder / f'{split}.txt')
    return compare_splits(lists, dict.fromkeys(lists, folder), **options)


@pytest.mark.parametrize(
    ('path', 'reason'),
    [
        ('b.jpg', 'path'),
        ('./b.jpg', 'path'),
        ('in/../b.jpg', 'path'),
        ('in/soft.jpg', 'file'),
        ('in/hard.jpg', 'file'),
    ],
)
def test_the_same_image_in_two_splits_is_named_with_both_lines(
    folder, path, reason
):
    report = compare(
        folder, {'train': 'a.jpg 0\nb.jpg 1\n', 'test': f'# x\n{path} 1\n'}
    )
    assert report.leaks == [
        f"{folder}/train.txt, line 2: 'b.jpg' (label 1) and {folder}/test.txt"
        f", line 2: '{path.removeprefix('./')}' (label 1) are the same "
        f'{reason}'
    ]
    assert report.conflicts == report.repeats == []
    with pytest.raises(ValueError, match='1 images are in two splits: '):
        report.raise_if_wrong()


def test_files_of_the_same_bytes_are_found_on_request(folder):
    splits = {'train': 'a.jpg 0\nother.jpg 1\n', 'test': 'same.jpg 0\n'}
    assert compare(folder, splits).leaks == []
    report = compare(folder, splits, check_content=True)
    assert len(report.leaks) == 1
    assert report.leaks[0].endswith('are the same content')


def test_an_image_with_two_labels_is_a_conflict_in_any_list(folder):
    report = compare(folder, {'train': 'a.jpg 0\nb.jpg 1\n./a.jpg 1\n'})
    assert report.leaks == report.repeats == []
    with pytest.raises(
        ValueError,
        match=r"two labels: .*train\.txt, line 1: 'a\.jpg' \(label 0\) and "
        r".*train\.txt, line 3: 'a\.jpg' \(label 1\)",
    ):
        report.raise_if_wrong()
    report = compare(folder, {'train': 'a.jpg 0\n', 'test': 'a.jpg 1\n'})
    assert len(report.leaks) == len(report.conflicts) == 1


def test_missing_files_are_compared_by_path_and_counted(folder):
    report = compare(folder, {'train': 'x.jpg 0\ny.jpg 0\nx.jpg 0\n'})
    assert report.missing == ['x.jpg', 'y.jpg', 'x.jpg']
    assert report.describe_missing('data').endswith(
        '3 images do not exist below data, so only their paths were compared: '
        'x.jpg; y.jpg; x.jpg'
    )
    assert len(report.repeats) == 1
    whole = compare(folder, {'train': 'a.jpg 0\n'})
    assert whole.describe_missing('data') == ''


def test_only_the_first_faults_are_shown(folder):
    text = ''.join(f'{k}.jpg 0\n' for k in range(7))
    report = compare(folder, {'train': text, 'test': text})
    with pytest.raises(ValueError, match=r'7 images .*4\.jpg.* and 2 more$'):
        report.raise_if_wrong()


def test_repeated_images_are_merged(folder):
    images = ImageList(
        ('a.jpg', 'same.jpg', 'in/soft.jpg', 'a.jpg', 'b.jpg', 'other.jpg'),
        np.array([0, 0, 1, 0, 1, 2]),
    )
    merged, report = merge_repeats(images, folder)
    assert merged.paths == ('a.jpg', 'same.jpg', 'in/soft.jpg', 'other.jpg')
    assert merged.labels.tolist() == [0, 0, 1, 2]
    assert len(report.repeats) == 2
    merged, _ = merge_repeats(images, folder, check_content=True)
    assert merged.paths == ('a.jpg', 'in/soft.jpg', 'other.jpg')
    with pytest.raises(
        ValueError, match=r"'a\.jpg' and 'a\.jpg' are the same"
    ):
        check_unique_paths(images)
    check_unique_paths(merged)

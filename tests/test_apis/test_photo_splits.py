import numpy as np
import pytest
from PIL import Image

from ltvl_mm.apis.tackle_run.photo_splits import count_held_out, read_photos


def make(root, counts, prefix=''):
    """Write class folders with so many images each."""
    number = 0
    for name, count in counts.items():
        for image in range(count):
            file = root / prefix / name / f'{image}.png'
            file.parent.mkdir(parents=True, exist_ok=True)
            Image.new('RGB', (4, 4), (number % 256, 9, 9)).save(file)
            number += 1
    return root


def count(found, split):
    labels = found.lists[split].labels
    return np.bincount(labels, minlength=len(found.names)).tolist()


@pytest.mark.parametrize(
    ('images', 'val', 'test'),
    [
        (0, 0, 0),
        (1, 0, 0),
        (2, 0, 1),
        (3, 1, 1),
        (4, 1, 1),
        (30, 3, 6),
        (1000, 20, 50),
    ],
)
def test_each_class_keeps_a_training_image(images, val, test):
    assert count_held_out(images) == (val, test)


def test_folders_are_split_by_class_and_small_classes_are_named(tmp_path):
    make(tmp_path, {'a_cat': 30, 'dog': 3, 'owl': 2, 'elk': 1})
    found = read_photos([tmp_path])
    assert found.names == ('a cat', 'dog', 'elk', 'owl')
    assert count(found, 'train') == [21, 1, 1, 1]
    assert count(found, 'val') == [3, 1, 0, 0]
    assert count(found, 'test') == [6, 1, 0, 1]
    text = ' '.join(found.notes)
    assert '2 classes have no val image' in text
    assert '1 class has no test image, because there are too few: elk' in text
    again = read_photos([tmp_path])
    assert again.lists['train'].paths == found.lists['train'].paths
    other = read_photos([tmp_path], seed=1)
    assert other.lists['test'].paths != found.lists['test'].paths


def test_official_splits_are_kept_and_missing_ones_drawn(tmp_path):
    make(tmp_path, {'cat': 9, 'dog': 5}, 'train')
    make(tmp_path, {'dog': 2}, 'test')
    found = read_photos([tmp_path])
    assert count(found, 'test') == [0, 2]
    assert count(found, 'val') == [1, 1]
    assert count(found, 'train') == [8, 4]
    assert found.lists['test'].paths[0] == 'test/dog/0.png'
    assert any('val images are drawn' in note for note in found.notes)


def test_lists_in_a_folder_and_their_names(tmp_path):
    make(tmp_path, {'Big-Cat': 3, 'dog': 3})
    for split, image in (('train', 0), ('val', 1), ('test', 2)):
        lines = [f'Big-Cat/{image}.png 0\n', f'dog/{image}.png 1\n']
        (tmp_path / f'{split}.txt').write_text(''.join(lines))
    found = read_photos([tmp_path])
    assert found.names == ('Big Cat', 'dog')
    assert count(found, 'train') == [1, 1]
    files = [tmp_path / f'{split}.txt' for split in ('val', 'test', 'train')]
    assert read_photos(files).lists['val'].paths == found.lists['val'].paths
    (tmp_path / 'class_names.txt').write_text('lion\nwolf\n')
    assert read_photos([tmp_path]).names == ('lion', 'wolf')


def test_folders_of_folders_are_no_classes(tmp_path):
    make(tmp_path, {'Fruit/Apple': 2, 'Fruit/Kiwi': 2, 'Packages/Milk': 2})
    with pytest.raises(ValueError, match=r'2 folders .* but 3 folders of'):
        read_photos([tmp_path])


@pytest.mark.parametrize(
    ('write', 'match'),
    [
        (lambda root: root / 'none', 'does not exist'),
        (lambda root: make(root, {'cat': 3}), 'a classifier needs two'),
        (
            lambda root: make(
                make(root, {'cat': 3, 'dog': 3}, 'train'), {'elk': 1}, 'val'
            ),
            'classes without a training folder: elk',
        ),
    ],
)
def test_photos_that_cannot_be_used_are_refused(tmp_path, write, match):
    with pytest.raises(ValueError, match=match):
        read_photos([write(tmp_path)])


def test_an_image_in_two_splits_is_refused(tmp_path):
    make(tmp_path, {'cat': 3, 'dog': 3})
    for split in ('train', 'test'):
        lines = [f'cat/{n}.png 0\ndog/{n}.png 1\n' for n in range(3)]
        (tmp_path / f'{split}.txt').write_text(''.join(lines))
    with pytest.raises(ValueError, match='images are in two splits'):
        read_photos([tmp_path])

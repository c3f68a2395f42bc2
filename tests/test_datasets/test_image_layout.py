import numpy as np
import pytest

from ltvl_mm.datasets.image_layout import (
    PlacedImage,
    detect_layout,
    map_prefix,
    place_images,
    read_path,
    write_path,
)
from ltvl_mm.datasets.published_splits import SPLITS
from ltvl_mm.structures.image_list import ImageList

PLACES = SPLITS['places_lt'].layouts


def make_list(*pairs):
    paths, labels = zip(*pairs, strict=True)
    return ImageList(paths, np.array(labels))


@pytest.mark.parametrize('name', SPLITS)
def test_every_layout_is_read_back_as_written(name):
    for source, templates in SPLITS[name].layouts.items():
        image = PlacedImage(source, 'field/wild', '1.jpg')
        for template in templates:
            found = read_path(
                write_path(image, template), SPLITS[name].layouts
            )
            if '{folder}' not in template:
                assert found == PlacedImage(source, None, '1.jpg')
            else:
                assert found == image


def test_a_path_of_no_layout_or_out_of_its_folder_is_refused():
    with pytest.raises(ValueError, match=r"'web/x.jpg' is laid out as none"):
        read_path('web/x.jpg', PLACES)
    for path in ('train/../../x.jpg', '/train/airfield/x.jpg'):
        with pytest.raises(ValueError, match='leaves the folder'):
            read_path(path, PLACES)


def test_flat_images_get_the_folder_of_their_label():
    placed = place_images(
        {
            'train': make_list(('data_256/a/abbey/1.jpg', 0)),
            'test': make_list(('val_256/v.jpg', 0)),
        },
        PLACES,
    )
    assert placed['test'] == [PlacedImage('val', 'abbey', 'v.jpg')]


def test_a_label_with_two_folders_or_none_is_refused():
    lists = {
        'train': make_list(('train/abbey/1.jpg', 0), ('train/attic/1.jpg', 0))
    }
    with pytest.raises(
        ValueError, match=r'line 2: label 0 is of abbey, .* lies in attic'
    ):
        place_images(lists, PLACES)
    with pytest.raises(
        ValueError, match='no list tells the folder of label 3'
    ):
        place_images({'test': make_list(('val_256/v.jpg', 3))}, PLACES)


def test_the_layout_that_finds_most_is_taken():
    images = [
        PlacedImage('train', 'abbey', f'{number}.jpg') for number in range(9)
    ]
    there = {f'data_256/a/abbey/{number}.jpg' for number in range(5)}
    there.add('train/abbey/0.jpg')
    chosen = detect_layout(images, PLACES, there.__contains__)
    assert chosen == {'train': 'data_256/{letter}/{folder}/{file}'}


def test_without_an_image_the_message_names_what_was_tried():
    images = [PlacedImage('train', 'abbey', '1.jpg')]
    with pytest.raises(
        ValueError, match=r'tried train/abbey/1.jpg, data_256/a/abbey/1.jpg'
    ):
        detect_layout(images, PLACES, lambda _: False)


def test_the_longest_prefix_wins():
    prefixes = {'train/': 'a/', 'train/b': 'c'}
    assert map_prefix('train/b/1.jpg', prefixes) == 'c/1.jpg'
    with pytest.raises(ValueError, match='begins with none'):
        map_prefix('val/1.jpg', prefixes)

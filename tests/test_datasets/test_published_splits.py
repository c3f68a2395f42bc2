import numpy as np
import pytest

from ltvl_mm.datasets.published_splits import (
    SPLITS,
    PublishedSplits,
    check_lists,
)
from ltvl_mm.structures.class_counts import GROUPS, group_classes
from ltvl_mm.structures.image_list import ImageList

TINY = PublishedSplits(
    name='Tiny-LT',
    stem='Tiny_LT',
    num_classes=3,
    sizes={'train': 152, 'val': 3},
    most=101,
    fewest=1,
    groups=(1, 1, 1),
    layouts={'train': ('train/{folder}/{file}',)},
)


def make_list(counts):
    labels = np.repeat(np.arange(len(counts)), counts)
    return ImageList(tuple(f'{row}.jpg' for row in range(len(labels))), labels)


def make_lists(train=(101, 50, 1), val=(1, 1, 1)):
    return {'train': make_list(train), 'val': make_list(val)}


def test_good_lists_are_told_in_a_line():
    assert check_lists(TINY, make_lists()) == (
        'Tiny-LT: 152 train, 3 val; 101 to 1 training images per class; '
        '1/1/1 many/medium/few'
    )


@pytest.mark.parametrize(
    ('lists', 'message'),
    [
        (
            make_lists(train=(101, 49, 1)),
            'Tiny_LT_train.txt lists 151 images, expected 152: it was cut',
        ),
        (
            make_lists(train=(101, 0, 51)),
            'Tiny_LT_train.txt has no image with label 1',
        ),
        (make_lists(val=(1, 1, 0, 1)), 'no image with label 2'),
        (
            make_lists(train=(100, 50, 1, 1)),
            'Tiny_LT_train.txt has labels up to 3, expected 0 to 2',
        ),
        (
            make_lists(train=(100, 50, 2)),
            r'has 100 to 2 images per class and \(0, 2, 1\) many-',
        ),
    ],
)
def test_other_lists_are_refused(lists, message):
    with pytest.raises(ValueError, match=message):
        check_lists(TINY, lists)


@pytest.mark.parametrize('name', SPLITS)
def test_facts_agree_with_each_other(name):
    splits = SPLITS[name]
    assert sum(splits.groups) == splits.num_classes
    shot = dict(zip(GROUPS, splits.groups, strict=True))
    assert group_classes(np.array([splits.most, splits.fewest])).tolist() == [
        'many',
        'few',
    ]
    # No tail fits that has more images than its groups allow, or fewer.
    assert splits.sizes['train'] > shot['many'] * 101 + shot['medium'] * 20
    assert splits.sizes['train'] < (
        shot['many'] * splits.most + shot['medium'] * 100 + shot['few'] * 19
    )

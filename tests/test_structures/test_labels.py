import numpy as np
import pytest
from mmengine.registry import DATASETS

from ltvl_mm.structures.labels import read_labels


class Listed:
    """The least that a data set must have."""

    def __init__(self, labels, **metainfo):
        self.labels = labels
        self.metainfo = metainfo

    def __len__(self):
        return len(self.labels)

    def get_data_info(self, idx):
        return {'img_path': f'{idx}.png', 'gt_label': self.labels[idx]}


def test_labels_come_in_order_as_int64():
    labels = read_labels(Listed([2, np.array(0), np.array([1])]))
    assert labels.dtype == np.int64
    assert labels.tolist() == [2, 0, 1]


def test_labels_of_a_wrapper_without_get_gt_labels_are_read(target):
    repeated = DATASETS.build(
        dict(type='RepeatDataset', times=2, dataset=target)
    )
    assert not hasattr(repeated, 'get_gt_labels')
    assert read_labels(repeated).tolist() == [0, 0, 0, 1, 1, 2] * 2


def test_a_label_outside_names_its_sample_and_image():
    message = r'sample 1 \(1.png\): label 3 lies outside \[0, 3\)'
    with pytest.raises(ValueError, match=message):
        read_labels(Listed([0, 3], classes=('a', 'b', 'c')))
    with pytest.raises(ValueError, match='label -1 lies outside'):
        read_labels(Listed([-1]))


def test_the_given_number_of_classes_overrules_the_data_set():
    dataset = Listed([0, 3], classes=('a', 'b', 'c'))
    assert read_labels(dataset, 4).tolist() == [0, 3]


@pytest.mark.parametrize('label', [None, [0, 1]])
def test_a_sample_without_a_single_label_is_an_error(label):
    with pytest.raises(ValueError, match=r'sample 1 \(1.png\) has no single'):
        read_labels(Listed([0, label]))

"""Transforms are found and replaced inside wrappers."""

import pytest
from mmengine.dataset import BaseDataset, Compose, ConcatDataset

from ltvl_mm.utils.pipelines import find_pipeline, set_pipeline


class Numbers(BaseDataset):
    def load_data_list(self):
        return [{'number': 1}]


def double(results):
    return {**results, 'number': 2 * results['number']}


def test_those_of_all_parts_are_replaced():
    first, second = Numbers(pipeline=[]), Numbers(pipeline=[double])
    dataset = ConcatDataset([first, second])
    with pytest.raises(ValueError, match='ConcatDataset have different pipe'):
        find_pipeline(dataset)
    set_pipeline(dataset, Compose([double, double]))
    assert [item['number'] for item in dataset] == [4, 4]
    assert find_pipeline(dataset) == [double, double]


def test_a_data_set_without_transforms_says_so():
    with pytest.raises(ValueError, match='object has no pipeline'):
        find_pipeline(object())
    with pytest.raises(ValueError, match='object has no pipeline'):
        set_pipeline(object(), Compose([]))

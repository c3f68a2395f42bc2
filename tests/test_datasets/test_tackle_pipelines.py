"""Pipelines of the two parts of a TACKLE data set."""

import copy
from types import SimpleNamespace

import numpy as np
import pytest
from mmengine.registry import DATASETS
from mmpretrain.datasets import BaseDataset
from mmpretrain.engine import SwitchRecipeHook

from ltvl_mm.datasets.tackle import TACKLEDataset


@pytest.fixture
def config(target, manifest):
    """Config of the target and the retrieved images together."""
    return dict(
        type='ltvl_mm.TACKLEDataset', dataset=target, manifest=str(manifest)
    )


def test_retrieved_images_take_the_pipeline_of_the_target(config, target):
    target['pipeline'].insert(1, dict(type='Resize', scale=4))
    dataset = DATASETS.build(config)
    assert {dataset[idx]['inputs'].shape[-1] for idx in range(12)} == {4}


def test_retrieved_images_may_have_their_own_pipeline(config, target):
    own = [*target['pipeline']]
    own.insert(1, dict(type='Resize', scale=2))
    dataset = DATASETS.build({**config, 'pipeline': own})
    sides = [dataset[idx]['inputs'].shape[-1] for idx in range(12)]
    assert sides == [8] * 6 + [2] * 6


def test_the_host_switches_the_pipeline_of_both_parts(config, target):
    wrapped = dict(type='RepeatDataset', dataset=target, times=2)
    dataset = DATASETS.build({**config, 'dataset': wrapped})
    smaller = [*target['pipeline']]
    smaller.insert(1, dict(type='Resize', scale=2))
    loader = SimpleNamespace(dataset=dataset)
    SwitchRecipeHook._switch_train_pipeline(
        SimpleNamespace(train_loop=SimpleNamespace(dataloader=loader)),
        DATASETS.build({**target, 'pipeline': smaller}).pipeline,
    )
    assert {item['inputs'].shape[-1] for item in dataset} == {2}


def test_retrieved_images_with_their_own_pipeline_keep_it(config, target):
    dataset = DATASETS.build({**config, 'pipeline': target['pipeline']})
    assert not hasattr(dataset, 'pipeline')


def test_parts_with_different_pipelines_need_one_for_the_retrieved(
    config, target
):
    other = copy.deepcopy(target)
    other['pipeline'].insert(1, dict(type='Resize', scale=2))
    config['dataset'] = dict(type='ConcatDataset', datasets=[target, other])
    with pytest.raises(ValueError, match='have different pipelines; pass'):
        DATASETS.build(config)
    dataset = DATASETS.build({**config, 'pipeline': target['pipeline']})
    assert len(dataset) == 18


class Arrays(BaseDataset):
    """Images without files, as CIFAR's."""

    def load_data_list(self):
        image = np.zeros((8, 8, 3), np.uint8)
        return [{'img': image, 'gt_label': 0}]


def test_images_without_files_need_a_pipeline_for_the_retrieved(
    target, manifest
):
    arrays = Arrays(
        '', classes=target['classes'], pipeline=[dict(type='PackInputs')]
    )
    with pytest.raises(ValueError, match='have no img_path'):
        TACKLEDataset(arrays, str(manifest))
    dataset = TACKLEDataset(arrays, str(manifest), pipeline=target['pipeline'])
    shapes = {tuple(dataset[idx]['inputs'].shape) for idx in range(7)}
    assert shapes == {(3, 8, 8)}

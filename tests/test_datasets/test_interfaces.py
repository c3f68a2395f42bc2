"""Our samplers and data sets against mmengine's interfaces."""

import inspect
import math
from unittest.mock import patch

import numpy as np
import pytest
from mmengine.dataset import DefaultSampler
from mmengine.registry import DATASETS, DefaultScope

from ltvl_mm.datasets import samplers
from ltvl_mm.datasets.class_samplers import (
    PowerSampler,
    ProgressivelyBalancedSampler,
)
from ltvl_mm.datasets.feature_batch import FeatureBatch, pack_labels
from ltvl_mm.datasets.retrieved import RetrievedDataset
from ltvl_mm.datasets.samplers import ClassBalancedSampler, FixedEpochSampler
from ltvl_mm.datasets.subset import SubsetMixin, select_samples

SAMPLERS = {
    ClassBalancedSampler: {},
    FixedEpochSampler: {},
    PowerSampler: {},
    ProgressivelyBalancedSampler: dict(max_epochs=2),
}


@pytest.fixture(autouse=True)
def no_default_scope():
    """Look names up as programs do that have started no Runner.

    In the scope 'mmpretrain', which Runners leave, 'mmpretrain.X' must be
    mmpretrain's own: it does not inherit mmengine's wrappers there.
    """
    DefaultScope._instance_dict.clear()  # restored by keep_default_scope


class Labels(SubsetMixin):
    """Seven labels of three classes."""

    CLASSES = ('a', 'b', 'c')
    metainfo = {'classes': CLASSES}  # noqa: RUF012
    _fully_initialized = True

    def __len__(self):
        return 7 if self._rows is None else len(self._rows)

    def get_data_info(self, idx):
        return {'gt_label': (0, 0, 0, 0, 1, 1, 2)[idx]}


def make(kind, rank, ranks, **options):
    options = {**SAMPLERS.get(kind, {}), **options}
    where = (
        'mmengine.dataset.sampler'
        if kind is DefaultSampler
        else (samplers.__name__)
    )
    with patch(f'{where}.get_dist_info', return_value=(rank, ranks)):
        return kind(Labels(), seed=3, **options)


@pytest.mark.parametrize('round_up', [True, False])
@pytest.mark.parametrize('ranks', [1, 2, 3])
@pytest.mark.parametrize('kind', SAMPLERS)
def test_samplers_have_the_interface_of_default_sampler(kind, ranks, round_up):
    dealt = []
    for rank in range(ranks):
        ours = make(kind, rank, ranks, round_up=round_up)
        stock = make(DefaultSampler, rank, ranks, round_up=round_up)
        for name in set(vars(stock)) - {'dataset'}:
            assert getattr(ours, name) == getattr(stock, name), name
        assert len(ours) == len(stock) == len(list(ours))
        ours.set_epoch(1)
        assert ours.epoch == 1
        dealt += list(ours)
    total = math.ceil(7 / ranks) * ranks if round_up else 7
    assert len(dealt) == total
    assert set(dealt) <= set(range(7))


@pytest.mark.parametrize('kind', SAMPLERS)
def test_samplers_take_the_arguments_of_default_sampler(kind):
    known = inspect.signature(samplers.EpochSampler.__init__).parameters
    assert set(inspect.signature(DefaultSampler).parameters) <= set(known)
    sampler = make(kind, 0, 2, epoch_size=5, round_up=False)
    assert (sampler.num_samples, sampler.total_size) == (3, 5)
    assert make(kind, 1, 2, epoch_size=5, round_up=False).num_samples == 2


@pytest.fixture
def configs(target, manifest):
    return {
        'tackle': dict(
            type='ltvl_mm.TACKLEDataset',
            dataset=target,
            manifest=str(manifest),
        ),
        'retrieved': dict(
            type='ltvl_mm.RetrievedDataset',
            manifest=str(manifest),
            pipeline=target['pipeline'],
        ),
    }


KINDS = pytest.mark.parametrize('kind', ['tackle', 'retrieved'])
LABELS = {
    'tackle': [0, 0, 0, 1, 1, 2, 0, 0, 1, 1, 1, 2],
    'retrieved': [0, 0, 1, 1, 1, 2],
}


def list_labels(dataset):
    found = [dataset.get_data_info(i)['gt_label'] for i in range(len(dataset))]
    shown = [
        int(dataset[i]['data_samples'].gt_label) for i in range(len(dataset))
    ]
    assert shown == found
    return found


@KINDS
def test_wrappers_of_mmengine_and_mmpretrain(configs, kind):
    config, labels = configs[kind], LABELS[kind]
    folds = []
    for fold in range(3):
        kfold = DATASETS.build(
            dict(
                type='mmpretrain.KFoldDataset',
                dataset=config,
                fold=fold,
                num_splits=3,
                test_mode=True,
            )
        )
        assert kfold.class_to_idx == {'cat': 0, 'dog': 1, 'owl': 2}
        assert kfold.CLASSES == ('cat', 'dog', 'owl')
        assert kfold.get_gt_labels().tolist() == list_labels(kfold)
        assert [kfold.get_cat_ids(i) for i in range(len(kfold))] == [
            [label] for label in list_labels(kfold)
        ]
        folds += list_labels(kfold)
    assert folds == labels
    for scope in ('mmengine', 'mmpretrain'):
        repeated = DATASETS.build(
            dict(type=f'{scope}.RepeatDataset', times=2, dataset=config)
        )
        joined = DATASETS.build(
            dict(type=f'{scope}.ConcatDataset', datasets=[config, config])
        )
        for dataset in (repeated, joined):
            assert dataset.metainfo['classes'] == ('cat', 'dog', 'owl')
            assert list_labels(dataset) == labels * 2
        balanced = DATASETS.build(
            dict(
                type=f'{scope}.ClassBalancedDataset',
                oversample_thr=0.01,
                dataset=config,
            )
        )
        assert list_labels(balanced) == labels
        assert samplers.read_labels(balanced).tolist() == labels


@KINDS
@pytest.mark.parametrize('scope', ['mmengine', 'mmpretrain'])
def test_wrappers_take_instances(configs, kind, scope):
    labels = LABELS[kind]
    for options in (
        dict(type='RepeatDataset', times=2),
        dict(type='ClassBalancedDataset', oversample_thr=0.01),
        dict(type='ConcatDataset'),
    ):
        one = DATASETS.build(configs[kind])
        parts = [one, DATASETS.build(configs[kind])]
        joins = options['type'] == 'ConcatDataset'
        wrapped = DATASETS.build(
            {**options, 'type': f'{scope}.{options["type"]}'}
            | ({'datasets': parts} if joins else {'dataset': one})
        )
        assert (wrapped.datasets[0] if joins else wrapped.dataset) is one
        balanced = options['type'] == 'ClassBalancedDataset'
        assert list_labels(wrapped) == labels * (1 if balanced else 2)


@KINDS
def test_subsets_are_those_of_mmengine(configs, kind):
    dataset, labels = DATASETS.build(configs[kind]), LABELS[kind]
    for indices in (0, 4, -2, [5, 0, 0, -1], np.array([3, 1])):
        subset = dataset.get_subset(indices)
        rows = np.arange(len(labels))
        expected = (
            rows[indices]
            if not isinstance(indices, int)
            else rows[:indices]
            if indices >= 0
            else rows[indices:]
        )
        assert list_labels(subset) == np.array(labels)[expected].tolist()
        assert subset.get_gt_labels().tolist() == list_labels(subset)
        assert subset.class_to_idx == dataset.class_to_idx
        twice = dataset.get_subset([2, 0]).get_subset([1])
        assert list_labels(twice) == [labels[0]]
    assert len(dataset) == len(labels)
    dataset.get_subset_(2)
    assert list_labels(dataset) == labels[:2]
    with pytest.raises(ValueError, match='cannot have the index 2'):
        dataset.get_subset([0, 2])
    with pytest.raises(ValueError, match='subset of 3 of 2 samples'):
        dataset.get_subset(3)
    with pytest.raises(IndexError):
        dataset.get_data_info(2)


def test_the_argument_indices_selects_rows(configs):
    options = {**configs['retrieved'], 'indices': [4, 0]}
    del options['type']
    dataset = RetrievedDataset(**options)
    assert list_labels(dataset) == [1, 0]
    assert select_samples(3, -1).tolist() == [2]


def test_features_are_packed_from_separate_samples():
    import torch

    batch = FeatureBatch(torch.arange(6.0).view(3, 2), torch.tensor([2, 0, 1]))
    packed, whole = pack_labels([batch[0], batch[2]]), pack_labels(batch)
    assert packed['inputs'].tolist() == [[0, 1], [4, 5]]
    assert packed['data_samples'][0].gt_label.tolist() == [2, 1]
    assert whole['data_samples'][0].gt_label.tolist() == [2, 0, 1]

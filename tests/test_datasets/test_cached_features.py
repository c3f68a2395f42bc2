import copy

import numpy as np
import pytest
import torch
from mmengine.dataset import (
    ClassBalancedDataset,
    ConcatDataset,
    RepeatDataset,
    default_collate,
)
from mmpretrain.models import ClsDataPreprocessor
from torch.utils.data import DataLoader

from ltvl_mm.datasets.cached_features import CachedFeatures
from ltvl_mm.datasets.feature_batch import pack_labels
from ltvl_mm.datasets.samplers import ClassBalancedSampler
from ltvl_mm.registry import DATASETS
from ltvl_mm.structures.feature_cache import (
    begin_cache,
    describe_source,
    write_view,
)


@pytest.fixture
def configs(target, tmp_path):
    (tmp_path / 'phase_a.pth').write_bytes(b'weights')
    return dict(
        dataset=target,
        backbone=dict(arch='x', pretrained=str(tmp_path / 'phase_a.pth')),
        data_preprocessor=dict(mean=[0.0]),
    )


@pytest.fixture
def root(configs, tmp_path):
    root = tmp_path / 'cache'
    source = describe_source(
        configs['backbone'],
        configs['data_preprocessor'],
        configs['dataset'],
        DATASETS.build(configs['dataset']),
    )
    begin_cache(root, source, seed=0)
    for view in range(2):
        rows = 100 * view + np.arange(6)
        write_view(root, view, np.stack([rows, -rows], 1))
    return root


def test_a_sample_is_one_view_of_one_image(root, configs):
    before = copy.deepcopy(configs)
    dataset = CachedFeatures(root, **configs)
    assert configs == before
    assert len(dataset) == 12
    assert dataset.CLASSES == dataset.metainfo['classes']
    sample = dataset[6 + 4]  # view 1 of image 4, a dog
    assert sample['inputs'].tolist() == [104, -104]
    assert sample['data_samples'].gt_label.tolist() == [1]
    info = dataset.get_data_info(10)
    path = info.pop('img_path')
    assert info == dict(gt_label=1, view=1, image=4, sample_idx=10)
    # Predictions are told apart by the path of the image.
    assert path == sample['data_samples'].img_path
    assert (
        path == DATASETS.build(configs['dataset']).get_data_info(4)['img_path']
    )
    assert dataset.get_cat_ids(-1) == [2]
    assert dataset.get_gt_labels().tolist() == [0, 0, 0, 1, 1, 2] * 2
    with pytest.raises(IndexError):
        dataset[12]


def test_first_view_is_one_sample_per_image(root, configs):
    dataset = CachedFeatures(root, **configs)
    dataset.keep_first_view()
    assert [int(one['inputs'][0]) for one in dataset] == [0, 1, 2, 3, 4, 5]


def test_a_batch_is_its_samples_in_the_order_asked_for(root, configs):
    dataset = CachedFeatures(root, **configs)
    order = [10, 0, -1, 10]
    loader = DataLoader(dataset, 4, sampler=order, collate_fn=default_collate)
    (batch,) = loader
    assert batch['inputs'].tolist() == [
        [104, -104],
        [0, 0],
        [105, -105],
        [104, -104],
    ]
    labels = [sample.gt_label.tolist() for sample in batch['data_samples']]
    assert labels == [[1], [0], [2], [1]]
    # A prediction is written into its own sample.
    batch['data_samples'][0].set_pred_label(0)
    assert 'pred_label' not in batch['data_samples'][3]
    for idx, sample in zip(order, batch['data_samples'], strict=True):
        assert dataset[idx]['data_samples'].gt_label == sample.gt_label
    with pytest.raises(IndexError):
        dataset.__getitems__([0, 12])


def test_fewer_views_than_there_are(root, configs):
    assert len(CachedFeatures(root, views=1, **configs)) == 6
    with pytest.raises(ValueError, match='view 2 is missing'):
        CachedFeatures(root, views=3, **configs)


def test_balanced_sampling_draws_views_evenly(root, configs):
    dataset = CachedFeatures(root, **configs)
    sampler = ClassBalancedSampler(dataset, epoch_size=6000, seed=0)
    infos = [dataset.get_data_info(index) for index in sampler]
    labels = np.bincount([info['gt_label'] for info in infos])
    views = np.bincount([info['view'] for info in infos])
    np.testing.assert_allclose(labels / 6000, 1 / 3, atol=0.03)
    np.testing.assert_allclose(views / 6000, 1 / 2, atol=0.03)


def _list_batches(dataset, collate):
    loader = DataLoader(dataset, 5, collate_fn=collate)
    return [
        (
            batch['inputs'].tolist(),
            torch.cat(
                [one.gt_label for one in batch['data_samples']]
            ).tolist(),
        )
        for batch in loader
    ]


@pytest.mark.parametrize('collate', [pack_labels, default_collate])
def test_subsets_and_wrappers_give_features_with_their_labels(
    root, configs, collate
):
    dataset = CachedFeatures(root, **configs)
    labels = [0, 0, 0, 1, 1, 2] * 2
    rows = [view * 100 + image for view in range(2) for image in range(6)]

    def check(data, expected):
        found = _list_batches(data, collate)
        inputs = [row for batch, _ in found for row in batch]
        assert inputs == [[rows[i], -rows[i]] for i in expected]
        assert [label for _, batch in found for label in batch] == [
            labels[i] for i in expected
        ]

    check(dataset.get_subset([7, 0, -1]), [7, 0, 11])
    check(dataset.get_subset(range(4, 10)).get_subset(-2), [8, 9])
    check(RepeatDataset(dataset, times=2), [*range(12)] * 2)
    check(
        ConcatDataset([dataset.get_subset(2), dataset.get_subset([11])]),
        [0, 1, 11],
    )
    # The class of one image of six is drawn twice for 1/6 < 0.3.
    check(
        ClassBalancedDataset(dataset, oversample_thr=0.3),
        [*range(5), 5, 5, *range(6, 11), 11, 11],
    )
    config = dict(type='ltvl_mm.CachedFeatures', root=root, **configs)
    for fold in range(3):
        part = DATASETS.build(
            dict(
                type='mmpretrain.KFoldDataset',
                dataset=config,
                fold=fold,
                num_splits=3,
                test_mode=True,
            )
        )
        check(part, range(4 * fold, 4 * fold + 4))


@pytest.mark.parametrize('to_onehot', [False, True])
def test_packed_labels_are_never_mixed_silently(root, configs, to_onehot):
    dataset = CachedFeatures(root, **configs)
    preprocessor = ClsDataPreprocessor(num_classes=3, to_onehot=to_onehot)
    batch = pack_labels(dataset.__getitems__([0, 3, 5]))
    if to_onehot:
        with pytest.raises(ValueError, match="type='default_collate'"):
            preprocessor(batch, training=True)
        whole = default_collate([dataset[i] for i in (0, 3, 5)])
        samples = preprocessor(whole, training=True)['data_samples']
        scores = torch.stack([sample.gt_score for sample in samples])
        assert scores.tolist() == torch.eye(3).tolist()
        return
    (sample,) = preprocessor(batch, training=True)['data_samples']
    assert sample.gt_label.tolist() == [0, 1, 2]
    with pytest.raises(ValueError, match='the predictions of several images'):
        sample.set_pred_score(torch.ones(3))


def test_a_cache_of_other_weights_is_refused(root, configs, tmp_path):
    (tmp_path / 'phase_a.pth').write_bytes(b'trained further')
    with pytest.raises(ValueError, match='made with other weights'):
        CachedFeatures(root, **configs)


def test_a_cache_of_another_pipeline_is_refused(root, configs):
    configs['dataset']['pipeline'].insert(
        1, dict(type='CenterCrop', crop_size=4)
    )
    with pytest.raises(ValueError, match='made with other pipeline'):
        CachedFeatures(root, **configs)


def test_a_cache_of_another_list_is_refused(root, configs, tmp_path):
    with open(tmp_path / 'target/train.txt', 'a') as file:
        file.write('images/0.png 2\n')
    with pytest.raises(ValueError, match='made with other images'):
        CachedFeatures(root, **configs)

"""Subsets with a chosen imbalance, as stage 1 of LT-Soups draws them."""

import math

import numpy as np
import pytest
from mmengine.registry import DATASETS

from ltvl_mm.datasets import (
    FixedEpochSampler,
    ImbalanceSubset,
    RetrievedShareSampler,
    TACKLEDataset,
    imbalance_subset,
)
from ltvl_mm.datasets.imbalance_subset import draw_subset
from ltvl_mm.structures.labels import read_labels
from ltvl_mm.structures.origins import read_origins

# 20, 8, 3 and 2 images; class 3 has none.
LABELS = np.random.default_rng(0).permutation(
    np.repeat([0, 1, 2, 4], [20, 8, 3, 2])
)


@pytest.mark.parametrize(
    ('imbalance', 'counts'),
    [
        (1, [2, 2, 2, 0, 2]),
        (2, [4, 4, 3, 0, 2]),
        (4, [8, 8, 3, 0, 2]),
        (1.5, [3, 3, 3, 0, 2]),
        (64, [20, 8, 3, 0, 2]),
        (None, [20, 8, 3, 0, 2]),
    ],
)
def test_no_class_has_more_than_the_rarest_times_the_imbalance(
    imbalance, counts
):
    rows = draw_subset(LABELS, imbalance, 0)
    assert np.bincount(LABELS[rows]).tolist() == counts
    assert (np.diff(rows) > 0).all()  # each image once


def test_the_images_depend_on_the_seed_alone():
    first, again, other = (draw_subset(LABELS, 1, s) for s in (0, 0, 1))
    assert np.array_equal(first, again)
    assert not np.array_equal(first, other)
    drawn = np.concatenate([draw_subset(LABELS, 1, s) for s in range(100)])
    assert set(drawn) == set(range(len(LABELS)))


def test_the_size_of_a_subset_is_logged(target, monkeypatch):
    said = []
    monkeypatch.setattr(
        imbalance_subset, 'print_log', lambda text, *_, **__: said.append(text)
    )
    ImbalanceSubset(DATASETS.build(target), imbalance=2, seed=7)
    assert said == [
        'subset of imbalance 2, seed 7: 5 of 6 images, 1 to 2 of each of 3 '
        'classes'
    ]


def test_a_subset_of_a_data_set_has_its_images_and_labels(target):
    dataset = ImbalanceSubset(DATASETS.build(target), imbalance=2)
    assert read_labels(dataset).tolist() == [0, 0, 1, 1, 2]
    assert len(dataset) == 5
    assert dataset.metainfo['classes'] == ('cat', 'dog', 'owl')
    for index in range(5):
        info = dataset.get_data_info(index)
        assert info['gt_label'] == dataset.get_cat_ids(index)[0]
        image = dataset[index]['data_samples']
        assert image.gt_label.item() == info['gt_label']
        assert image.img_path == info['img_path']
    assert read_labels(dataset.get_subset([4, 0])).tolist() == [2, 0]


def test_target_and_retrieved_images_share_the_limit(target, manifest):
    both = TACKLEDataset.from_retrieval(target, manifest)
    dataset = ImbalanceSubset(both, imbalance=2)  # of 5, 5 and 2 images
    assert np.bincount(read_labels(dataset)).tolist() == [4, 4, 2]
    origins = read_origins(dataset)
    shown = [s['data_samples'].origin == 'retrieved' for s in dataset]
    assert origins.tolist() == shown


def test_wrong_settings_are_refused(target):
    for wrong in (math.inf, math.nan):
        with pytest.raises(ValueError, match='must be a finite number >= 1'):
            ImbalanceSubset(target, imbalance=wrong)
        with pytest.raises(ValueError, match='must be a finite number >= 1'):
            draw_subset(np.array([0, 1]), wrong, 0)
    with pytest.raises(ValueError, match='there are no images to draw'):
        draw_subset(np.array([], int), 2, 0)
    with pytest.raises(ValueError, match=r'finite number >= 1, .* got 0\.5'):
        ImbalanceSubset(DATASETS.build(target), imbalance=0.5)
    with pytest.raises(ValueError, match='seed must be >= 0'):
        ImbalanceSubset(DATASETS.build(target), imbalance=1, seed=-1)


def test_epochs_of_small_subsets_have_a_minimum_length(target):
    dataset = ImbalanceSubset(DATASETS.build(target), imbalance=1)
    sampler = FixedEpochSampler(dataset, min_epoch_size=8, seed=0)
    assert len(sampler) == 8
    assert len(FixedEpochSampler(dataset, min_epoch_size=2, seed=0)) == 3
    with pytest.raises(ValueError, match='min_epoch_size must be >= 1'):
        FixedEpochSampler(dataset, min_epoch_size=0)


def test_epochs_are_as_long_as_without_retrieved_images(target, manifest):
    subset = dict(type='ltvl_mm.ImbalanceSubset', imbalance=2, dataset=target)
    both = TACKLEDataset.from_retrieval(subset, manifest)
    assert len(both) > 5
    for dataset in (DATASETS.build(subset), both):
        assert len(FixedEpochSampler(dataset, of_target=True, seed=0)) == 5
    sampler = FixedEpochSampler(both, of_target=True, min_epoch_size=8)
    assert len(sampler) == 8
    assert len(RetrievedShareSampler(both, of_target=True, share=0.4)) == 5

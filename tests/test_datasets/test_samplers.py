from unittest.mock import patch

import numpy as np
import pytest
from mmengine.registry import DATASETS

from ltvl_mm.datasets import samplers
from ltvl_mm.datasets.samplers import ClassBalancedSampler, FixedEpochSampler
from ltvl_mm.structures.labels import read_labels


class Listed:
    """A data set of labels."""

    metainfo = {'classes': ('a', 'b', 'c', 'd')}  # noqa: RUF012

    def __init__(self, labels):
        self.labels = labels

    def __len__(self):
        return len(self.labels)

    def get_data_info(self, idx):
        return {'gt_label': self.labels[idx]}


# A long tail: 64 samples whose counts are 50, 10, 3 and 1.
LONG_TAIL = Listed([0] * 50 + [1] * 10 + [2] * 3 + [3])


def make(kind, dataset=LONG_TAIL, *, rank=0, ranks=1, seed=0, **options):
    with patch.object(samplers, 'get_dist_info', return_value=(rank, ranks)):
        return kind(dataset, seed=seed, **options)


def draw(sampler, epoch=0):
    sampler.set_epoch(epoch)
    return list(sampler)


def draw_ranks(kind, ranks, *, epoch=0, **options):
    return [
        draw(make(kind, rank=rank, ranks=ranks, **options), epoch)
        for rank in range(ranks)
    ]


KINDS = pytest.mark.parametrize(
    'kind', [FixedEpochSampler, ClassBalancedSampler]
)


@KINDS
def test_an_epoch_has_the_chosen_length_whatever_the_data_set(kind):
    for size in (5, 64, 200):
        sampler = make(kind, epoch_size=size)
        assert len(draw(sampler)) == len(sampler) == size
    assert len(make(kind)) == len(LONG_TAIL)


@KINDS
def test_ranks_get_equally_many_and_share_one_order_among_them(kind):
    alone = draw(make(kind, epoch_size=66), 3)
    shares = draw_ranks(kind, 3, epoch_size=64, epoch=3)  # 66: rounded up
    assert [len(share) for share in shares] == [22, 22, 22]
    assert np.stack(shares, 1).ravel().tolist() == alone


@KINDS
def test_an_epoch_is_the_same_whether_reached_or_resumed_at(kind):
    walked = make(kind, epoch_size=40)
    orders = [draw(walked, epoch) for epoch in range(5)]
    assert draw(make(kind, epoch_size=40), 4) == orders[4]
    assert len({tuple(order) for order in orders}) == 5


@KINDS
def test_seed_and_epoch_are_mixed_and_not_added_or_multiplied(kind):
    first = draw(make(kind, seed=1), 2)
    assert first != draw(make(kind, seed=2), 1)
    assert first != draw(make(kind, seed=0), 3)
    assert first == draw(make(kind, seed=1), 2)


@KINDS
def test_without_a_seed_the_ranks_agree_on_one(kind):
    with patch.object(samplers, 'sync_random_seed', return_value=7):
        assert draw(make(kind, seed=None)) == draw(make(kind, seed=7))


@KINDS
def test_an_empty_data_set_or_epoch_is_an_error(kind):
    with pytest.raises(ValueError, match='epoch_size must be >= 1, got 0'):
        make(kind, epoch_size=0)
    with pytest.raises(ValueError, match='data set to sample from is empty'):
        make(kind, Listed([]))


@KINDS
def test_shuffle_may_be_inherited_from_a_stock_config_but_not_off(kind):
    assert draw(make(kind, shuffle=True)) == draw(make(kind))
    with pytest.raises(ValueError, match='always shuffles; for a fixed order'):
        make(kind, shuffle=False)


def test_every_sample_comes_once_before_any_comes_twice():
    sampler = make(FixedEpochSampler, Listed([0] * 7), epoch_size=3)
    order = np.concatenate([draw(sampler, epoch) for epoch in range(14)])
    passes = order.reshape(6, 7)  # 14 epochs of 3 are 6 passes over 7
    assert (np.sort(passes, 1) == np.arange(7)).all()
    assert len({tuple(line) for line in passes.tolist()}) > 1


def test_an_epoch_longer_than_the_data_set_repeats_whole_passes():
    order = draw(make(FixedEpochSampler, Listed([0] * 4), epoch_size=10))
    counts = np.bincount(order, minlength=4)
    assert (counts.sum(), counts.min(), counts.max()) == (10, 2, 3)


def test_classes_are_drawn_uniformly_and_so_are_the_images_of_a_class():
    order = draw(make(ClassBalancedSampler, epoch_size=8000))
    drawn = np.array(LONG_TAIL.labels)[order]
    assert _chi_square(np.bincount(drawn)) < 16.3  # 3 degrees, p = 0.001
    images = np.bincount(order, minlength=64)
    assert _chi_square(images[:50]) < 85.4  # 49 degrees, p = 0.001
    assert _chi_square(images[50:60]) < 27.9  # 9 degrees
    assert _chi_square(images[60:63]) < 13.8  # 2 degrees


def test_every_rank_has_the_same_class_balance():
    for share in draw_ranks(ClassBalancedSampler, 2, epoch_size=8000):
        drawn = np.array(LONG_TAIL.labels)[share]
        assert _chi_square(np.bincount(drawn)) < 16.3


def _chi_square(counts):
    expected = counts.sum() / len(counts)
    return ((counts - expected) ** 2 / expected).sum()


def test_a_class_without_images_is_reported_and_never_drawn(monkeypatch):
    said = []
    monkeypatch.setattr(
        samplers, 'print_log', lambda text, *_, **__: said.append(text)
    )
    make(ClassBalancedSampler)
    assert said == []
    order = draw(make(ClassBalancedSampler, Listed([1, 3, 3]), epoch_size=99))
    assert len(said) == 1
    assert '2 of 4 classes have no image' in said[0]
    assert set(order) == {0, 1, 2}


def test_a_label_outside_the_classes_is_an_error():
    with pytest.raises(ValueError, match=r'sample 1 .*label 4 lies outside'):
        make(ClassBalancedSampler, Listed([0, 4]))


@pytest.mark.parametrize(
    'wrapper', ['RepeatDataset', 'ConcatDataset', 'KFoldDataset', 'TACKLE']
)
def test_wrapped_data_sets_are_balanced_as_well(wrapper, target, manifest):
    dataset = DATASETS.build(
        {
            'RepeatDataset': dict(
                type='RepeatDataset', times=2, dataset=target
            ),
            'ConcatDataset': dict(
                type='ConcatDataset', datasets=[target, target]
            ),
            'KFoldDataset': dict(
                type='mmpretrain.KFoldDataset', num_splits=6, dataset=target
            ),
            'TACKLE': dict(
                type='ltvl_mm.TACKLEDataset',
                dataset=target,
                manifest=str(manifest),
            ),
        }[wrapper]
    )
    order = draw(make(ClassBalancedSampler, dataset, epoch_size=3000))
    drawn = read_labels(dataset)[order]
    assert _chi_square(np.bincount(drawn, minlength=3)) < 13.8
    assert set(order) == set(range(len(dataset)))

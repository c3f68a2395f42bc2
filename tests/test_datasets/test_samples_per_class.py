from collections import Counter
from itertools import pairwise
from unittest.mock import patch

import numpy as np
import pytest

from ltvl_mm.datasets import samplers
from ltvl_mm.datasets.samplers import ClassBalancedSampler
from ltvl_mm.utils.rng import make_generator

# 8 images of class 0, 3 of class 1 and 1 of class 2.
LABELS = np.array([0] * 8 + [1] * 3 + [2])


class Listed:
    """A data set of labels."""

    def __len__(self):
        return len(LABELS)

    def get_data_info(self, idx):
        return {'gt_label': LABELS[idx]}


def draw(*, epoch=0, rank=0, ranks=1, seed=0, **options):
    with patch.object(samplers, 'get_dist_info', return_value=(rank, ranks)):
        sampler = ClassBalancedSampler(Listed(), seed=seed, **options)
    sampler.set_epoch(epoch)
    return np.array(list(sampler))


def test_every_class_comes_as_often_and_m_images_in_a_row():
    order = draw(samples_per_class=4, epoch_size=48)
    rows = LABELS[order].reshape(12, 4)
    assert (rows == rows[:, :1]).all()
    assert np.bincount(rows[:, 0]).tolist() == [4, 4, 4]
    # Shuffled cycles: each three rows hold all three classes.
    assert (np.sort(rows[:, 0].reshape(4, 3)) == [0, 1, 2]).all()


def test_the_images_of_a_class_come_in_cycles():
    order = draw(samples_per_class=4, epoch_size=48)
    many = order[LABELS[order] == 0]  # 16 images: twice through all 8
    assert sorted(many[:8]) == sorted(many[8:]) == list(range(8))
    assert many[:8].tolist() != many[8:].tolist()  # shuffled anew
    few = Counter(order[LABELS[order] == 1].tolist())  # 16 = 5 * 3 + 1
    assert sorted(few.values()) == [5, 5, 6]


def test_the_shuffles_are_uniform():
    firsts = Counter(
        int(LABELS[draw(samples_per_class=2, epoch_size=6, epoch=epoch)[0]])
        for epoch in range(300)
    )
    assert all(70 < firsts[label] < 130 for label in range(3))


@pytest.mark.parametrize('size', [1, 5, 7, 50])
def test_ragged_epochs_and_classes_of_one_image(size):
    order = draw(samples_per_class=4, epoch_size=size)
    assert len(order) == size
    runs = [
        len(run)
        for run in np.split(order, np.flatnonzero(np.diff(LABELS[order])) + 1)
    ]
    assert all(run % 4 == 0 for run in runs[:-1])


def test_an_epoch_is_a_function_of_seed_and_epoch():
    orders = [
        draw(samples_per_class=4, seed=seed, epoch=epoch).tolist()
        for seed, epoch in [(1, 2), (1, 2), (2, 1), (1, 3)]
    ]
    assert orders[0] == orders[1]
    assert all(first != second for first, second in pairwise(orders[1:]))


def test_ranks_share_one_order():
    alone = draw(samples_per_class=4, epoch_size=48)
    shares = [
        draw(samples_per_class=4, epoch_size=48, rank=rank, ranks=3)
        for rank in range(3)
    ]
    assert np.stack(shares, 1).ravel().tolist() == alone.tolist()


def test_one_sample_per_class_draws_as_it_always_did():
    """Runs of earlier versions resume: class, then image, independently."""
    rng = make_generator(5, 3)
    classes = rng.integers(3, size=12)
    within = rng.integers(np.array([8, 3, 1])[classes])
    expected = np.array([0, 8, 11])[classes] + within
    assert draw(seed=5, epoch=3).tolist() == expected.tolist()


def test_less_than_one_sample_per_class_is_refused():
    with pytest.raises(ValueError, match='samples_per_class must be >= 1'):
        draw(samples_per_class=0)

import numpy as np
import pytest
from test_samplers import LONG_TAIL, draw, draw_ranks, make

from ltvl_mm.datasets import PowerSampler, ProgressivelyBalancedSampler

COUNTS = np.array([50, 10, 3, 1])


def measure_shares(sampler, epoch=0):
    labels = [LONG_TAIL.labels[idx] for idx in draw(sampler, epoch)]
    return np.bincount(labels, minlength=4) / len(labels)


@pytest.mark.parametrize('power', [0.0, 0.5, 1.0])
def test_classes_come_by_the_power_of_their_size(power):
    sampler = make(PowerSampler, power=power, epoch_size=20_000)
    expected = COUNTS**power / (COUNTS**power).sum()
    assert measure_shares(sampler) == pytest.approx(expected, abs=0.015)


@pytest.mark.parametrize('epoch', [0, 3, 10])
def test_progress_is_from_images_to_classes(epoch):
    sampler = make(
        ProgressivelyBalancedSampler, max_epochs=10, epoch_size=20_000
    )
    share = epoch / 10
    expected = (1 - share) * COUNTS / 64 + share / 4
    found = measure_shares(sampler, epoch)
    assert found == pytest.approx(expected, abs=0.015)


def test_images_of_a_class_come_alike():
    sampler = make(PowerSampler, power=0.0, epoch_size=50_000)
    of_first = [idx for idx in draw(sampler) if idx < 50]
    shares = np.bincount(of_first, minlength=50) / len(of_first)
    assert shares == pytest.approx(0.02, abs=0.006)


def test_ranks_share_an_epoch_that_seed_and_number_decide():
    whole = draw(make(PowerSampler, epoch_size=40), epoch=3)
    parts = draw_ranks(PowerSampler, 2, epoch=3, epoch_size=40)
    assert [idx for pair in zip(*parts, strict=True) for idx in pair] == whole
    assert draw(make(PowerSampler, epoch_size=40), epoch=4) != whole


def test_ranges_of_options():
    with pytest.raises(ValueError, match=r'power must lie in \[0, 1\], got 2'):
        make(PowerSampler, power=2)
    with pytest.raises(ValueError, match='max_epochs must be >= 1, got 0'):
        make(ProgressivelyBalancedSampler, max_epochs=0)
    sampler = make(ProgressivelyBalancedSampler, max_epochs=2)
    with pytest.raises(ValueError, match='epoch 3 lies beyond max_epochs=2'):
        draw(sampler, 3)

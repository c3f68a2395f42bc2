import numpy as np
import pytest

from ltvl_mm.evaluation.bootstrap import find_interval, resample_accuracies
from ltvl_mm.evaluation.functional import summarize_accuracies
from ltvl_mm.utils.rng import make_generator

GROUPS = np.array(['many', 'many', 'few', 'few', 'medium'])


def test_draws_are_those_of_the_slow_obvious_version():
    rng = np.random.default_rng(0)
    target = rng.integers(4, size=37)  # of class 4, medium, none is tested
    right = rng.random((2, 37)) < 0.6
    found = resample_accuracies(right, target, GROUPS, draws=5, seed=3)
    assert set(found) == {'many', 'few', 'all', 'harmonic_mean'}
    rng = make_generator(3)
    for draw in range(5):
        images = rng.integers(37, size=37)
        for model in range(2):
            pred = np.where(right[model], target, (target + 1) % 4)
            expected = summarize_accuracies(
                pred[images], target[images], GROUPS
            )
            for name, values in found.items():
                assert values[model, draw] == pytest.approx(expected[name])


def test_models_that_agree_never_differ_and_one_is_always_better():
    target = np.repeat(np.arange(4), 10)
    right = np.stack([np.arange(40) % 2 == 0] * 2 + [np.ones(40, bool)])
    draws = resample_accuracies(right, target, GROUPS, draws=50)['all']
    assert (draws[0] == draws[1]).all()
    low, high = find_interval(draws[2] - draws[0])
    assert 25 < low < 50 < high < 75


def test_the_interval_is_the_middle():
    assert find_interval(np.arange(101.0), level=0.9) == pytest.approx((5, 95))


def test_a_class_that_is_never_drawn_leaves_no_number_not_a_zero():
    # Of one image of each class, half of the draws leave one out.
    found = resample_accuracies(
        np.array([[True, True]]),
        np.array([0, 2]),
        np.array(['many', 'many', 'few']),
        draws=20,
    )
    assert np.isnan(found['many']).any()
    assert set(found['many'][~np.isnan(found['many'])]) == {100}

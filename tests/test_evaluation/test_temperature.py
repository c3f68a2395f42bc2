import numpy as np
import pytest

from ltvl_mm.evaluation.temperature import (
    HIGHEST,
    LOWEST,
    compute_nll,
    describe_weak_fit,
    fit_temperature,
)


@pytest.mark.parametrize('temperature', [0.01, 0.07, 0.5])
def test_the_temperature_that_drew_the_labels_is_found(temperature):
    rng = np.random.default_rng(0)
    cosines = rng.uniform(-1, 1, (20_000, 3))
    weights = np.exp(cosines / temperature)
    weights /= weights.sum(1, keepdims=True)
    labels = (rng.random((20_000, 1)) > weights.cumsum(1)).sum(1)
    found = fit_temperature(cosines, labels)
    assert found == pytest.approx(temperature, rel=0.1)
    # Slow and obvious: the best of a grid is not better.
    grid = [compute_nll(cosines, labels, t) for t in np.geomspace(1e-3, 9, 99)]
    assert compute_nll(cosines, labels, found) <= min(grid) + 1e-6


def test_likelihood_by_hand():
    nll = compute_nll(np.array([[0.2, 0.1]]), np.array([0]), 0.1)
    assert nll == pytest.approx(np.log(1 + np.exp(-1)))


def test_labels_that_cosines_contradict_give_the_highest_temperature():
    cosines = np.array([[1.0, 0.0], [0.0, 1.0]])
    assert fit_temperature(cosines, np.array([1, 0])) == HIGHEST == 100


def test_equal_cosines_give_the_highest_temperature():
    assert fit_temperature(np.full((4, 3), 0.2), np.arange(4) % 3) == HIGHEST


@pytest.mark.parametrize('gap', [1e-3, 0.1, 1.0])
def test_labels_that_are_all_nearest_give_the_lowest_temperature(gap):
    # exp() of the gap underflows long before the search ends.
    cosines = np.array([[gap, 0, 0], [0, gap, gap]])
    assert fit_temperature(cosines, np.array([0, 1])) == LOWEST == 1e-4


@pytest.mark.parametrize(
    ('temperature', 'images', 'reason'),
    [
        (0.05, 50, None),
        (0.05, 49, '49 val images are too few'),
        (LOWEST, 500, 'lowest temperature'),
        (HIGHEST, 500, 'say nothing about the labels of the 500'),
    ],
)
def test_a_weak_fit_is_described(temperature, images, reason):
    found = describe_weak_fit(temperature, images)
    assert found is None if reason is None else reason in found


@pytest.mark.parametrize(
    ('shape', 'match'), [((0, 3), 'one or more images'), ((4, 1), 'one class')]
)
def test_there_is_something_to_fit(shape, match):
    with pytest.raises(ValueError, match=match):
        fit_temperature(np.zeros(shape), np.zeros(shape[0], int))


@pytest.mark.parametrize(
    ('labels', 'match'),
    [
        ([0], r'expected 3 whole numbers .* int64 of shape \(1,\)'),
        ([0, 1, 2, 0], r'of shape \(4,\)'),
        ([0.0, 1.0, 1.0], 'float64'),
        ([0, 1, 2], r'label 2 of image 2 lies outside \[0, 2\)'),
        ([0, -1, 1], r'label -1 of image 1 lies outside'),
    ],
)
def test_each_image_has_a_label_of_the_classes(labels, match):
    for check in (fit_temperature, lambda *args: compute_nll(*args, 0.1)):
        with pytest.raises(ValueError, match=match):
            check(np.eye(3, 2), np.array(labels))


@pytest.mark.parametrize('value', [np.nan, np.inf, -np.inf])
def test_similarities_must_be_finite(value):
    cosines = np.eye(3)
    cosines[1, 2] = value
    with pytest.raises(
        ValueError, match=r'image 1 and class 2 is -?(nan|inf)'
    ):
        fit_temperature(cosines, np.arange(3))

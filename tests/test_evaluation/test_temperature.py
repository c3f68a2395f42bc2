import numpy as np
import pytest

from ltvl_mm.evaluation.temperature import compute_nll, fit_temperature


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
    assert fit_temperature(cosines, np.array([1, 0])) == 100


@pytest.mark.parametrize(
    ('shape', 'match'), [((0, 3), 'one or more images'), ((4, 1), 'one class')]
)
def test_there_is_something_to_fit(shape, match):
    with pytest.raises(ValueError, match=match):
        fit_temperature(np.zeros(shape), np.zeros(shape[0], int))

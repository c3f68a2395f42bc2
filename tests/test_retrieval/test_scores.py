import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ltvl_mm.retrieval.options import SCORES
from ltvl_mm.retrieval.search.scores import compute_scores

TEMPERATURES = (1e-3, 0.01, 0.1, 1.0)


def _log_odds(row, k, temperature):
    """x_k - log sum_{j != k} exp(x_j), one number at a time."""
    x = [value / temperature for value in row]
    rivals = x[:k] + x[k + 1 :]
    top = max(rivals)
    return x[k] - top - math.log(math.fsum(math.exp(r - top) for r in rivals))


def _compare(cosines, temperature):
    found = compute_scores(cosines, temperature=temperature, score='softmax')
    due = [
        [_log_odds(row, k, temperature) for k in range(len(row))]
        for row in cosines.tolist()
    ]
    np.testing.assert_allclose(found, due, rtol=1e-11, atol=2e-9)


@pytest.mark.parametrize('temperature', TEMPERATURES)
@pytest.mark.parametrize('shape', [(1, 2), (5, 2), (7, 3), (4, 31)])
def test_log_odds_equal_the_slow_sum(shape, temperature):
    rng = np.random.default_rng(0)
    _compare(rng.uniform(-1, 1, shape), temperature)
    _compare(rng.uniform(0.2, 0.3, shape), temperature)  # as CLIP's lie


@pytest.mark.parametrize('temperature', TEMPERATURES)
def test_log_odds_of_ties_equal_the_slow_sum(temperature):
    rows = [[0.3, 0.3, 0.1], [0.1, 0.3, 0.3], [0.2] * 3, [0, 0, 0], [-1] * 3]
    _compare(np.array(rows, float), temperature)


@settings(deadline=None, max_examples=60)
@given(
    st.integers(2, 6).flatmap(
        lambda count: st.lists(
            st.lists(st.floats(-1, 1), min_size=count, max_size=count),
            min_size=1,
            max_size=4,
        )
    ),
    st.sampled_from(TEMPERATURES),
)
def test_log_odds_equal_the_slow_sum_for_any_cosines(rows, temperature):
    _compare(np.array(rows), temperature)


def test_a_constant_row_gives_each_of_k_classes_minus_log_k_minus_one():
    found = compute_scores(
        np.full((2, 5), 0.3), temperature=0.01, score='softmax'
    )
    np.testing.assert_allclose(found, -math.log(4), atol=1e-9)


def test_two_classes_have_opposite_log_odds():
    found = compute_scores(
        np.array([[0.31, 0.3]]), temperature=0.01, score='softmax'
    )
    np.testing.assert_allclose(found, [[1, -1]], atol=1e-9)


def test_log_odds_order_images_as_the_probability_does():
    cosines = np.random.default_rng(0).uniform(-1, 1, (200, 4))
    found = compute_scores(cosines, temperature=1, score='softmax')
    powers = np.exp(cosines)
    p = powers / powers.sum(1, keepdims=True)
    assert np.array_equal(np.argsort(found, 0), np.argsort(p, 0))


def test_log_odds_still_rank_where_the_probability_has_become_one():
    cosines = np.array([[0.30, 0.1, 0.1], [0.35, 0.1, 0.1], [0.40, 0.1, 0.1]])
    x = (cosines / 0.01).astype(np.float32)
    powers = np.exp(x - x.max(1, keepdims=True))
    p = powers / powers.sum(1, keepdims=True)
    assert (p[:, 0] == 1).all()  # float32 cannot tell the three apart
    found = compute_scores(cosines, temperature=0.01, score='softmax')
    due = np.array([20, 25, 30]) - math.log(2)
    np.testing.assert_allclose(found[:, 0], due, atol=1e-9)


@pytest.mark.parametrize('temperature', TEMPERATURES)
@pytest.mark.parametrize('score', SCORES)
def test_equal_images_tie_wherever_in_the_matrix_they_stand(
    score, temperature
):
    rng = np.random.default_rng(1)
    image = rng.normal(size=512)
    images = rng.normal(size=(57, 512))
    places = [0, 1, 8, 30, 55, 56]
    images[places] = image
    images /= np.linalg.norm(images, axis=1, keepdims=True)
    classes = rng.normal(size=(512, 13))
    classes /= np.linalg.norm(classes, axis=0)
    options = dict(temperature=temperature, score=score)
    whole = compute_scores(images @ classes, **options)[places]
    alone = compute_scores(images[:1] @ classes, **options)
    assert (whole == alone).all()


def test_the_margin_is_the_lead_over_the_best_other_class():
    found = compute_scores(
        np.array([[0.5, 0.2, 0.4], [0.3, 0.3, 0.1]]),
        temperature=0.1,
        score='margin',
    )
    np.testing.assert_allclose(found, [[1, -3, -1], [0, 0, -2]], atol=1e-9)


def test_the_cosine_is_left_alone_by_the_temperature():
    cosines = np.array([[0.5, -0.25], [0.125, 1.0]])
    for temperature in TEMPERATURES:
        found = compute_scores(
            cosines, temperature=temperature, score='cosine'
        )
        assert np.array_equal(found, cosines)


@pytest.mark.parametrize('score', SCORES)
def test_the_cosines_are_left_as_they_were(score):
    cosines = np.random.default_rng(0).uniform(-1, 1, (3, 4))
    before = cosines.copy()
    compute_scores(cosines, temperature=0.01, score=score)
    assert np.array_equal(cosines, before)


@pytest.mark.parametrize('score', SCORES)
def test_no_images_have_no_scores(score):
    none = compute_scores(np.empty((0, 3)), temperature=0.01, score=score)
    assert none.shape == (0, 3)


def test_one_class_has_a_cosine_but_no_probability():
    one = np.array([[0.5], [0.25]])
    found = compute_scores(one, temperature=1, score='cosine')
    assert np.array_equal(found, one)
    for score in ('softmax', 'margin'):
        with pytest.raises(ValueError, match='there is one only'):
            compute_scores(one, temperature=1, score=score)


def test_an_unknown_score_is_refused():
    with pytest.raises(ValueError, match=r"score must be one of .*'dot'"):
        compute_scores(np.eye(2), temperature=1, score='dot')


@pytest.mark.parametrize('temperature', [0, -0.01, math.nan])
def test_the_temperature_is_positive(temperature):
    with pytest.raises(ValueError, match='temperature must be > 0'):
        compute_scores(np.eye(2), temperature=temperature, score='cosine')

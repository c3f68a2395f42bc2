from dataclasses import replace

import numpy as np
import pytest

from ltvl_mm.evaluation.retrieval_quality import (
    ValReference,
    average_ranks,
    choose_references,
    compute_probabilities,
    describe_val,
    estimate_precision,
    find_sinking_classes,
    measure_agreement,
    pick_ranks,
    summarize_by_group,
)


def _point(*degrees):
    """Return unit vectors of a plane."""
    angles = np.radians(degrees)
    return np.stack([np.cos(angles), np.sin(angles)], 1).astype(np.float32)


def test_probabilities_by_hand():
    found = compute_probabilities(np.array([[0.3, 0.1, 0.1]]), 0.1)
    e = np.exp(2)
    np.testing.assert_allclose(
        found, [[e / (e + 2), 1 / (e + 2), 1 / (e + 2)]]
    )


def test_the_nth_probability_of_each_class():
    found = pick_ranks(
        np.array([0.9, 0.5, 0.4]),
        np.array([0, 0, 2]),
        np.array([0, 1, 0]),
        3,
        ranks=(1, 2),
    )
    np.testing.assert_equal(found, [[0.9, 0.5], [np.nan] * 2, [0.4, np.nan]])


def test_agreement_by_hand():
    # One val image of class 1 lies among those of class 0.
    val, labels = _point(0, 4, 80, 88, 7), np.array([0, 0, 1, 1, 1])
    agrees = measure_agreement(
        _point(2, 85, 91, 6), np.array([0, 0, 1, 1]), val, labels
    )
    # 6 degrees is nearest to the stray image of class 1.
    assert agrees.tolist() == [True, False, True, True]
    probabilities = np.array([[0.9, 0.1], [0.4, 0.6], *[[0.2, 0.8]] * 3])
    found = describe_val(val, labels, probabilities)
    assert found.right.tolist() == [True, False, True, True, True]
    assert found.own.tolist() == [True, False, True, True, False]
    assert found.agrees.tolist() == [True, True, True, True, False]
    assert found.confidence.tolist() == [0.9, 0.6, 0.8, 0.8, 0.8]


def test_references_are_equally_many_of_each_class():
    labels = np.repeat([0, 1, 2, 3], [30, 6, 3, 5])
    chosen = choose_references(labels, 5)
    assert np.bincount(labels[chosen]).tolist() == [5, 5, 0, 5]
    assert len(choose_references(np.array([0, 1, 1]), 2)) == 0
    many = choose_references(np.repeat([0, 1], 40), 2)
    assert len(many) == 20


def test_the_estimate_solves_the_mixture():
    # Of 20 correct val images 80 % agree, of 20 wrong ones 30 %.
    val = ValReference(
        right=np.repeat([True, False], 20),
        agrees=np.r_[np.arange(20) < 16, np.arange(20) < 6],
        own=np.ones(40, bool),
        confidence=np.full(40, 0.5),
    )
    confidence = np.full(100, 0.5)
    for percent, expected in ((80, 100), (55, 50), (30, 0), (10, 0)):
        found = estimate_precision(np.arange(100) < percent, confidence, val)
        assert found == pytest.approx(expected)
    assert estimate_precision(np.empty(0, bool), np.empty(0), val) is None
    alike = replace(val, agrees=np.arange(40) % 2 == 0)
    assert estimate_precision(confidence > 0, confidence, alike) is None


def test_rates_are_those_of_equally_confident_val_images():
    # Confident correct val images agree always, others half of the time.
    confidence = np.repeat([0.9, 0.3, 0.9], 10)
    val = ValReference(
        right=np.repeat([True, True, False], 10),
        agrees=np.r_[np.ones(10, bool), np.arange(10) < 5, np.zeros(10, bool)],
        own=np.ones(30, bool),
        confidence=confidence,
    )
    half = np.arange(10) < 5
    assert estimate_precision(half, np.full(10, 0.95), val) == 50
    assert estimate_precision(half, np.full(10, 0.25), val) == 100


def test_the_estimate_follows_the_true_precision():
    rng = np.random.default_rng(0)
    centers = rng.normal(size=(20, 32))

    def draw(labels):
        points = centers[labels] + rng.normal(size=(len(labels), 32))
        points /= np.linalg.norm(points, axis=1, keepdims=True)
        return points.astype(np.float32)

    labels, class_id = np.repeat(range(20), 8), np.repeat(range(20), 50)
    val = draw(labels)
    texts = centers / np.linalg.norm(centers, axis=1, keepdims=True)
    reference = describe_val(
        val, labels, compute_probabilities(val @ texts.T, 0.1)
    )
    for share in (0.2, 0.6, 1.0):
        wrong = rng.integers(20, size=1000)
        shown = np.where(rng.random(1000) < share, class_id, wrong)
        agrees = measure_agreement(draw(shown), class_id, val, labels)
        estimate = estimate_precision(agrees, np.full(1000, 0.9), reference)
        truth = 100 * (shown == class_id).mean()
        assert estimate == pytest.approx(truth, abs=8)


def test_means_of_groups_leave_out_what_is_unknown():
    found = summarize_by_group(
        {'a': np.array([1, np.nan, 5]), 'b': np.array([2.0, 4, np.nan])},
        np.array(['many', 'few', 'few']),
    )
    assert found == {
        'many': {'a': 1, 'b': 2},
        'few': {'a': 5, 'b': 4},
        'all': {'a': 3, 'b': 3},
    }


def test_mean_probability_of_the_first_n_images():
    found = average_ranks(
        np.array([0.9, 0.5, 0.4]),
        np.array([0, 0, 2]),
        np.array([0, 1, 0]),
        3,
        (1, 2),
    )
    np.testing.assert_allclose(
        found, [[0.9, 0.7], [np.nan, np.nan], [0.4, np.nan]]
    )


def test_sinking_classes_begin_probable_and_end_improbable():
    falling, high = np.linspace(0.9, 0.1, 20), np.full(20, 0.9)
    probabilities = np.concatenate([falling, high, high[:5]])
    labels = np.repeat([0, 1, 2], [20, 20, 5])
    ranks = np.concatenate([np.arange(20), np.arange(20), np.arange(5)])
    assert find_sinking_classes(probabilities, labels, ranks, 4).tolist() == [
        0
    ]

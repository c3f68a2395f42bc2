import numpy as np
import pytest

from ltvl_mm.evaluation.functional import (
    compute_class_accuracies,
    summarize_accuracies,
)


def test_class_accuracies_are_nan_where_nothing_was_tested():
    pred, target = np.array([0, 1, 1, 3]), np.array([0, 0, 1, 1])
    accuracies = compute_class_accuracies(pred, target, 4)
    np.testing.assert_array_equal(accuracies, [50, 50, np.nan, np.nan])


def test_classes_weigh_the_same_and_an_untested_group_is_absent():
    pred, target = np.array([0, 0, 0, 2, 0]), np.array([0, 0, 0, 0, 1])
    groups = np.array(['many', 'many', 'few'])  # class 2 has no test image
    summary = summarize_accuracies(pred, target, groups)
    assert summary == {
        'many': 37.5,  # the mean of 75 and 0, not 60
        'all': 60.0,
        'class_mean': 37.5,
        'harmonic_mean': 0.0,
        'geometric_mean': 0.0,
        'worst_class': 0.0,
    }


def test_groups_and_means_by_hand():
    # Class 0: 4 of 4, class 1: 1 of 2, class 2: 1 of 4, class 3: 1 of 1.
    target = np.array([0, 0, 0, 0, 1, 1, 2, 2, 2, 2, 3])
    pred = np.array([0, 0, 0, 0, 1, 0, 2, 0, 0, 3, 3])
    groups = np.array(['many', 'medium', 'few', 'few'])
    summary = summarize_accuracies(pred, target, groups)
    assert summary['many'] == 100
    assert summary['medium'] == 50
    assert summary['few'] == 62.5
    assert summary['all'] == pytest.approx(100 * 7 / 11)
    assert summary['class_mean'] == 68.75
    assert summary['harmonic_mean'] == pytest.approx(400 / (1 + 2 + 4 + 1))
    assert summary['geometric_mean'] == pytest.approx(
        (100 * 50 * 25 * 100) ** 0.25
    )
    assert summary['worst_class'] == 25


def test_the_geometric_mean_of_many_classes_does_not_underflow():
    target = np.repeat(np.arange(1000), 5)
    pred = np.where(
        np.tile([1, 1, 0, 0, 0], 1000), target, (target + 1) % 1000
    )
    summary = summarize_accuracies(pred, target, np.full(1000, 'many'))
    assert summary['geometric_mean'] == pytest.approx(40)
    assert summary['harmonic_mean'] == pytest.approx(40)


@pytest.mark.parametrize(
    ('pred', 'target', 'message'),
    [
        ([0, 2], [0, 1], r'predicted class 2 lies outside \[0, 2\)'),
        ([0, 1], [-1, 1], r'true class -1 lies outside \[0, 2\)'),
        ([0], [0, 1], r'\(1,\) predictions for \(2,\) targets'),
        ([], [], 'there is no prediction to score'),
    ],
)
def test_what_cannot_be_scored_is_an_error(pred, target, message):
    with pytest.raises(ValueError, match=message):
        summarize_accuracies(
            np.array(pred, int), np.array(target, int), np.array(['few'] * 2)
        )

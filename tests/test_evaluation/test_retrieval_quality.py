import re

import numpy as np
import pytest

from ltvl_mm.evaluation.retrieval_quality import (
    compute_probabilities,
    estimate_precision,
    measure_agreement,
    pick_ranks,
    summarize_by_group,
)
from ltvl_mm.evaluation.retrieval_warnings import (
    QualityNumbers,
    find_warnings,
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


def test_agreement_and_precision_by_hand():
    # Class 0 around 0 degrees, class 1 around 90; one val image of class 1
    # lies among those of class 0. Class 2 has one val image only.
    val, labels = _point(0, 4, 80, 88, 7, 180), np.array([0, 0, 1, 1, 1, 2])
    retrieved = _point(2, 85, 91, 6, 179)
    class_id = np.array([0, 0, 1, 1, 2])
    found = measure_agreement(retrieved, class_id, val, labels, 3)
    # 6 degrees is nearest to the stray image of class 1.
    assert found.retrieved.tolist() == [True, False, True, True, True]
    assert found.val.tolist() == [True, False, True, True, False, False]
    assert found.measured.tolist() == [True, True, False]
    total = estimate_precision(found, class_id, labels)
    # Classes 0, 0, 1, 1 would agree in 50, 50, 67, 67 % if all were right.
    assert total == pytest.approx(
        dict(images=4, agreement=75, expected=175 / 3, precision=100)
    )
    one = estimate_precision(
        found, class_id, labels, np.array([True, False, False])
    )
    assert one == dict(images=2, agreement=50, expected=50, precision=100)
    none = estimate_precision(
        found, class_id, labels, np.array([False, False, True])
    )
    assert none == dict(
        images=0, agreement=None, expected=None, precision=None
    )


def test_the_estimate_follows_the_true_precision():
    rng = np.random.default_rng(0)
    centers = rng.normal(size=(20, 32))

    def draw(labels):
        points = centers[labels] + rng.normal(size=(len(labels), 32))
        points /= np.linalg.norm(points, axis=1, keepdims=True)
        return points.astype(np.float32)

    labels = np.repeat(np.arange(20), 8)
    class_id = np.repeat(np.arange(20), 50)
    for share in (0.2, 0.6, 1.0):
        shown = np.where(
            rng.random(1000) < share, class_id, rng.integers(20, size=1000)
        )
        found = measure_agreement(
            draw(shown), class_id, draw(labels), labels, 20
        )
        estimate = estimate_precision(found, class_id, labels)['precision']
        assert estimate == pytest.approx(
            100 * (shown == class_id).mean(), abs=6
        )


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


GOOD = dict(
    num_classes=96,
    zero_shot=55.0,
    zero_shot_group='few-shot',
    unknown_names=['grp_7b'],
    uncertain_classes=5.0,
    precision=72.0,
    best_precision=80.0,
    temperature=0.05,
    fitted_temperature=0.06,
)


def test_a_clip_that_knows_the_classes_gives_no_warning():
    assert find_warnings(QualityNumbers(**GOOD)) == []


@pytest.mark.parametrize(
    ('changed', 'kind', 'reason', 'remedies'),
    [
        (
            dict(zero_shot=20.0),
            'zero_shot',
            'recognizes 20.0 % .* few-shot',
            ('grp_7b', '--templates', '--clip'),
        ),
        # Two classes: 55 % is hardly above chance.
        (dict(num_classes=2), 'zero_shot', 'guessing 50.0 %', ()),
        (
            dict(uncertain_classes=34.0, fitted_temperature=0.02),
            'scores',
            '34 % of the classes',
            ('--temperature auto', '--min-probability', 'Add web images'),
        ),
        (
            dict(precision=40.0),
            'precision',
            'about 40 %',
            ('--budget', '--assign argmax'),
        ),
    ],
)
def test_each_warning_has_its_reason_and_remedies(
    changed, kind, reason, remedies
):
    (warning,) = find_warnings(QualityNumbers(**GOOD | changed))
    assert warning.kind == kind
    assert re.search(reason, warning.reason)
    for remedy in remedies:
        assert any(remedy in one for one in warning.remedies)


def test_the_temperature_is_suggested_only_if_it_differs():
    numbers = QualityNumbers(**GOOD | dict(uncertain_classes=50.0))
    (warning,) = find_warnings(numbers)
    assert not any('--temperature' in one for one in warning.remedies)

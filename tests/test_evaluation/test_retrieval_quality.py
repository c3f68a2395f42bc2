import re
from dataclasses import replace

import numpy as np
import pytest

from ltvl_mm.evaluation.precision_estimator import describe_bias
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


GOOD = dict(
    num_classes=96,
    zero_shot=55.0,
    zero_shot_group='few-shot',
    unknown_names=['grp_7b'],
    uncertain_classes=5.0,
    precision=72.0,
    precision_by='the nearest val images',
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
        (dict(num_classes=2), 'zero_shot', 'guessing gives 50.0 %', ()),
        (
            dict(uncertain_classes=34.0, fitted_temperature=0.02),
            'scores',
            '34 % of the classes',
            ('--temperature auto', '--min-probability', 'Add web images'),
        ),
        (
            dict(precision=40.0),
            'precision',
            'about 40 % .* judged by the nearest val images',
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


@pytest.mark.parametrize(('zero_shot', 'first'), [(2.0, 0), (12.0, -1)])
def test_another_clip_is_the_first_remedy_if_it_guesses(zero_shot, first):
    (warning,) = find_warnings(
        QualityNumbers(**GOOD | dict(zero_shot=zero_shot))
    )
    assert warning.remedies[first].startswith('Use another CLIP')


def test_the_temperature_is_suggested_only_if_it_differs():
    numbers = QualityNumbers(**GOOD | dict(uncertain_classes=50.0))
    (warning,) = find_warnings(numbers)
    assert not any('--temperature' in one for one in warning.remedies)


def test_a_remedy_is_told_once():
    found = find_warnings(
        QualityNumbers(
            **GOOD
            | dict(
                zero_shot=1.0,
                uncertain_classes=100.0,
                precision=1.0,
                fitted_temperature=9.0,
            )
        )
    )
    remedies = [one for warning in found for one in warning.remedies]
    assert len(found) == 3
    assert len(set(remedies)) == len(remedies)
    # Calibrating what CLIP does not know is not a remedy.
    assert not any('--temperature' in one for one in remedies)


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


def test_a_budget_that_fills_with_improbable_images_is_warned_of():
    good = QualityNumbers(8, 90.0, 'few-shot', ())
    assert find_warnings(replace(good, sinking_names=('a', 'b'))) == []
    (warning,) = find_warnings(replace(good, sinking_names=('a', 'b', 'c')))
    assert warning.kind == 'budget'
    assert '38 % of the classes' in warning.reason
    assert '--min-probability 0.5' in warning.remedies[0]
    assert '--budget auto' in warning.remedies[1]


def test_classes_without_images_are_warned_of():
    few = QualityNumbers(
        **GOOD | dict(num_classes=3, empty_names=('cat', 'dog'))
    )
    (warning,) = find_warnings(few)
    assert warning.kind == 'yield'
    assert warning.reason == (
        "2 of 3 classes have no retrieved image: 'cat', 'dog'"
    )
    assert warning.remedies == ('Add web images of these classes.',)
    limited = replace(few, options={'min_probability': 0.5})
    (warning,) = find_warnings(limited)
    assert warning.remedies[0] == 'Lower --min-probability (now 0.5).'
    (warning,) = find_warnings(replace(limited, low_yield='only 4 of 395'))
    assert warning.reason.startswith('only 4 of 395; 2 of 3 classes')
    assert '--temperature auto --val STORE LIST' in warning.remedies[0]
    assert find_warnings(replace(few, empty_names=('cat',))) == []


def test_remedies_name_what_the_retrieval_has_not_used():
    numbers = QualityNumbers(
        **GOOD | dict(precision=40.0, sinking_names=['a'] * 96)
    )
    remedies = find_warnings(numbers)[0].remedies
    assert 'Leave out uncertain images: --min-probability 0.5.' in remedies
    used = replace(
        numbers,
        needs_fit=True,
        options={'assign': 'argmax', 'templates': ['a photo of a {}.']},
    )
    text = ' '.join(find_warnings(used)[0].remedies)
    fit = '--min-probability 0.5 --temperature auto --val STORE LIST.'
    assert f'Leave out uncertain images: {fit}' in text
    assert '--assign argmax' not in text
    assert '--templates openai_80, or a file' in text


@pytest.mark.parametrize(
    ('classes', 'background', 'expected'),
    [
        (8, True, 'too low: of 8 classes, 33 % were estimated and 71 % right'),
        (8, False, 'too high: of 8 classes, 87 % were estimated and 72 %'),
        (96, False, 'it can be too high: of 96 classes, 73 %'),
    ],
)
def test_the_bias_of_the_estimate_depends_on_the_softmax(
    classes, background, expected
):
    bias = describe_bias(classes, has_background=background)
    assert expected in bias
    numbers = QualityNumbers(
        **GOOD | dict(precision=40.0, precision_bias=bias)
    )
    (warning,) = find_warnings(numbers)
    assert warning.reason.endswith(f'nearest val images (an estimate; {bias})')

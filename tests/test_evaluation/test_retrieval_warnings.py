"""Warnings on a retrieval, their reasons and remedies."""

import re
from dataclasses import replace

import pytest

from ltvl_mm.evaluation.precision_estimator import describe_bias
from ltvl_mm.evaluation.retrieval_warnings import (
    QualityNumbers,
    find_warnings,
)

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

"""Mixtures are chosen on val and tested once."""

import numpy as np
import pytest
from PIL import Image

from ltvl_mm.evaluation.mixture_search import (
    compare_mixture,
    mix_predictions,
    score_models,
    search_mixtures,
)
from ltvl_mm.evaluation.post_hoc import CRITERIA, choose_setting
from ltvl_mm.structures.predictions import Predictions
from ltvl_mm.structures.score_mixture import ScoreMixture
from ltvl_mm.visualization.mixture_curve import plot_mixture_curve

GROUPS = np.array(['many', 'few'])


def predict(*first_class, labels=(0, 1, 1)):
    """Predictions that give these probabilities to class 0."""
    ones = np.array(first_class, np.float32)
    return Predictions(
        probabilities=np.stack([ones, 1 - ones], 1),
        labels=np.array(labels),
        paths=tuple('abcdefgh'[: len(ones)]),
    )


STUDENT = predict(0.9, 0.6, 0.6)  # right for a
CLIP = predict(0.4, 0.1, 0.1)  # right for b and c


def test_a_mixture_is_right_where_either_is_sure():
    rows = search_mixtures(
        [STUDENT, CLIP], GROUPS, 'logit', alphas=(0, 0.5, 1), scales=(1,)
    )
    assert [round(row['all'], 1) for row in rows] == [66.7, 100, 33.3]
    assert choose_setting(rows)['alpha'] == 0.5


def test_of_equals_the_better_few_shot_accuracy_wins():
    rows = [dict(alpha=a, all=50.0, few=few) for a, few in ((0, 1), (1, 2))]
    assert choose_setting(rows)['alpha'] == 1


def test_models_and_their_mixture_are_scored_on_test():
    rows = score_models(
        [STUDENT, CLIP],
        GROUPS,
        ('rx', 'clip'),
        dict(alpha=0.5, scale=1.0),
        'probability',
    )
    assert [row['method'] for row in rows] == ['rx', 'clip', 'rx + clip']
    assert [round(row['all'], 1) for row in rows] == [33.3, 66.7, 100]
    assert rows[0]['per_class'] == [100, 0]


def test_a_mixture_is_compared_with_the_better_model():
    rows = [
        dict(method='rx', all=40.0, few=30.0),
        dict(method='clip', all=50.0, few=20.0),
        dict(method='rx + clip', all=51.5, few=25.0),
    ]
    assert compare_mixture(rows, 'all') == ('clip', 1.5)
    assert compare_mixture(rows, 'few') == ('rx', -5.0)


def test_a_mixture_has_predictions_of_its_own():
    mean = mix_predictions([STUDENT, CLIP], 0.5, 1.0, 'probability')
    assert np.allclose(mean.probabilities[:, 0], [0.65, 0.35, 0.35])
    geometric = mix_predictions([STUDENT, CLIP], 0.5, 1.0, 'logit')
    odds = np.sqrt([9 * 4 / 6, 1.5 / 9, 1.5 / 9])  # of class 0 to class 1
    assert np.allclose(geometric.probabilities[:, 0], odds / (1 + odds))
    assert geometric.paths == STUDENT.paths


def test_predictions_of_other_images_are_refused():
    with pytest.raises(ValueError, match='different images'):
        search_mixtures(
            [STUDENT, predict(0.4, 0.1, 0.1, labels=(0, 0, 1))],
            GROUPS,
            'logit',
        )


def test_a_mixture_is_chosen_by_the_accuracy_that_is_asked_for():
    rows = [
        dict(alpha=0, all=60.0, class_mean=40.0, few=10.0),
        dict(alpha=0.5, all=55.0, class_mean=50.0, few=20.0),
        dict(alpha=1, all=50.0, class_mean=45.0, few=30.0),
    ]
    chosen = [choose_setting(rows, by)['alpha'] for by in CRITERIA]
    assert chosen == [0, 0.5, 1]
    with pytest.raises(ValueError, match="chosen by 'few'"):
        choose_setting([dict(all=1.0, class_mean=2.0)], 'few')


def test_the_mean_over_classes_counts_each_class_once():
    rows = search_mixtures(
        [STUDENT, CLIP], GROUPS, 'logit', alphas=(1,), scales=(1,)
    )
    # Class 0: 1 of 1 or of 2; all images: 1 of 3.
    labels = STUDENT.labels
    right = STUDENT.probabilities.argmax(1) == labels
    means = [right[labels == label].mean() for label in np.unique(labels)]
    assert rows[0]['class_mean'] == pytest.approx(100 * np.mean(means))


@pytest.mark.parametrize('value', [0, -1, float('nan'), float('inf')])
def test_scales_are_finite_and_positive(value):
    with pytest.raises(ValueError, match=r'\(--scales\) must be finite'):
        search_mixtures([STUDENT, CLIP], GROUPS, 'logit', scales=(1, value))
    with pytest.raises(ValueError, match='scales must be finite'):
        ScoreMixture((0.5, 0.5), (1.0, value))


@pytest.mark.parametrize('value', [-0.1, 1.1, float('nan'), float('inf')])
def test_shares_lie_between_0_and_1(value):
    with pytest.raises(ValueError, match=r'\(--alphas\) must lie in'):
        search_mixtures([STUDENT, CLIP], GROUPS, 'logit', alphas=(1, value))
    with pytest.raises(ValueError, match='weights must be >= 0'):
        ScoreMixture((value, 1 - value), (1.0, 1.0))


@pytest.mark.parametrize('groups', [['many', 'few'], ['many', 'many']])
def test_the_curve_shows_the_groups_that_val_has(tmp_path, groups):
    rows = search_mixtures([STUDENT, CLIP], np.array(groups), 'logit')
    best = choose_setting(rows)
    plot_mixture_curve(tmp_path / 'c.png', rows, best, ('rx', 'clip'))
    with Image.open(tmp_path / 'c.png') as picture:
        assert picture.size == (675 * len(set(groups)), 600)

"""The scores of several models as one."""

import pytest
import torch

from ltvl_mm.structures.score_mixture import ScoreMixture

FIRST = torch.tensor([[2.0, 0.0]])
SECOND = torch.tensor([[0.0, 1.0]])


def test_logits_are_a_weighted_mean_of_scaled_logits():
    mixture = ScoreMixture((0.25, 0.75), (1.0, 4.0))
    # 0.25 * 2 + 0.75 * 4 * 0 and 0.25 * 0 + 0.75 * 4 * 1.
    assert mixture.mix([FIRST, SECOND]).tolist() == [[0.5, 3.0]]


def test_probabilities_are_a_weighted_mean_of_softmaxes():
    mixture = ScoreMixture((0.25, 0.75), (2.0, 1.0), 'probability')
    mixed = mixture.mix([FIRST, SECOND]).softmax(-1)
    slow = 0.25 * (2 * FIRST).softmax(-1) + 0.75 * SECOND.softmax(-1)
    torch.testing.assert_close(mixed, slow)


@pytest.mark.parametrize('space', ['logit', 'probability'])
@pytest.mark.parametrize('share', [0.0, 0.3, 1.0])
def test_a_number_per_image_changes_nothing(space, share):
    mixture = ScoreMixture((share, 1 - share), (1.0, 2.0), space)
    shifted = [FIRST + 7, SECOND - 3]
    torch.testing.assert_close(
        mixture.mix(shifted).softmax(-1),
        mixture.mix([FIRST, SECOND]).softmax(-1),
    )


@pytest.mark.parametrize(
    ('change', 'message'),
    [
        (dict(space='cosine'), "got 'cosine'"),
        (dict(weights=(1.0,)), 'needs a weight and a scale'),
        (dict(weights=(0.7, 0.7)), 'sum 1, got'),
        (dict(weights=(-0.5, 1.5)), 'must be >= 0'),
        (dict(weights=(float('nan'), 0.5)), 'sum 1'),
        (dict(scales=(1.0, 0.0)), 'scales must be finite numbers > 0'),
    ],
)
def test_what_is_no_mixture_is_refused(change, message):
    numbers = dict(weights=(0.5, 0.5), scales=(1.0, 1.0))
    with pytest.raises(ValueError, match=message):
        ScoreMixture(**{**numbers, **change})


def test_models_of_other_classes_do_not_mix():
    with pytest.raises(ValueError, match=r'\(1, 2\), \(1, 3\)'):
        ScoreMixture((0.5, 0.5), (1.0, 1.0)).mix([FIRST, torch.zeros(1, 3)])

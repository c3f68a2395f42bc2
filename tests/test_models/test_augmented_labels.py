"""Soft labels, sample weights and reductions: one table of losses.

Losses must use soft labels (Mixup, CutMix) or refuse them by name.
"""

import math

import pytest
import torch
from mmpretrain.registry import MODELS

from ltvl_mm.models.losses.mixed_labels import HARD_LABEL_PARTS

LOG2, LOG4, LOG_4_3 = math.log(2), math.log(4), math.log(4 / 3)
# 3 training images of class 0, 1 of class 1; all logits are 0; one image of
# each class. -> options, shape of an image's logits, the two losses by hand.
# LADE: T_c = -log(2 pi_c), and the loss has 2 sum_c pi_c T_c.
LADE = 2 * (-0.75 * math.log(1.5) + 0.25 * LOG2)
# TADE's third expert sees z + log pi - log pi': 3 and 1/3, so 9 to 1.
HAND = {
    'LogitAdjustedLoss': ({}, (2,), (LOG_4_3, LOG4)),
    'LADELoss': (
        dict(alpha=2.0, penalty=0.0),
        (2,),
        (LOG_4_3 + LADE, LOG4 + LADE),
    ),
    # Margins: 3^(-1/4) and 1 of 2.
    'LDAMLoss': (
        dict(scale=4.0),
        (2,),
        (
            math.log(1 + math.exp(2 * 3**-0.25)),
            math.log(1 + math.exp(2)),
        ),
    ),
    'RIDELoss': (
        dict(scale=4.0),
        (2, 2),
        (
            2 * math.log(1 + math.exp(2 * 3**-0.25)),
            2 * math.log(1 + math.exp(2)),
        ),
    ),
    'DiverseExpertLoss': (
        dict(tau=1.0),
        (3, 2),
        (LOG2 + LOG_4_3 + math.log(10 / 9), LOG2 + LOG4 + math.log(10)),
    ),
    # Class 0 teaches one branch, class 1 three: 2 on average.
    'ResLTLoss': (
        dict(beta=0.5, medium=0.5, tail=0.5),
        (3, 2),
        (LOG2 / 2 + LOG2 / 4, LOG2 / 2 + 3 * LOG2 / 4),
    ),
}
SOFT = ('LogitAdjustedLoss', 'DiverseExpertLoss')


def build_loss(kind, counts=(3, 1), **options):
    loss = MODELS.build(
        dict(type=f'ltvl_mm.{kind}', num_classes=len(counts), **options)
    )
    loss.set_class_counts(torch.tensor(counts))
    return loss


@pytest.mark.parametrize('kind', HAND)
def test_losses_and_reductions_by_hand(kind):
    options, shape, values = HAND[kind]
    loss = build_loss(kind, loss_weight=3.0, **options)
    logits, target = torch.zeros(2, *shape), torch.tensor([0, 1])
    first, second = (3 * value for value in values)
    each = loss(logits, target, reduction_override='none')
    assert each.tolist() == pytest.approx([first, second], rel=1e-5)
    mean = loss(logits, target).item()
    assert mean == pytest.approx((first + second) / 2, rel=1e-5)
    total = loss(logits, target, reduction_override='sum')
    assert total.item() == pytest.approx(first + second, rel=1e-5)
    by_factor = loss(logits, target, avg_factor=5)
    assert by_factor.item() == pytest.approx((first + second) / 5, rel=1e-5)


@pytest.mark.parametrize('beta', [None, 0.9])
@pytest.mark.parametrize('kind', HAND)
def test_weight_counts_an_image_several_times(kind, beta):
    options, shape, _ = HAND[kind]
    options = {**options, **({} if beta is None else {'beta': beta})}
    if beta is not None and kind not in ('LDAMLoss', 'RIDELoss', 'ResLTLoss'):
        pytest.skip('the loss has no beta')
    counts = (50, 7, 7, 1)
    loss = build_loss(kind, counts, **options)
    generator = torch.Generator().manual_seed(1)
    logits = torch.randn(5, *shape[:-1], 4, generator=generator)
    target = torch.tensor([0, 0, 1, 3, 2])
    weight = torch.tensor([1, 3, 2, 0, 1])
    found = loss(logits, target, weight.float(), avg_factor=weight.sum())
    repeated = loss(
        logits.repeat_interleave(weight, 0),
        target.repeat_interleave(weight),
    )
    assert found.item() == pytest.approx(repeated.item(), rel=1e-5)
    # And without avg_factor the sum is divided by N, as in mmpretrain.
    mean = loss(logits, target, weight.float()).item()
    assert mean == pytest.approx(repeated.item() * 7 / 5, rel=1e-5)
    each = loss(logits, target, weight.float(), reduction_override='none')
    assert each.sum().item() == pytest.approx(repeated.item() * 7, rel=1e-5)


@pytest.mark.parametrize('kind', HAND)
def test_batch_of_weight_0_costs_nothing(kind):
    options, shape, _ = HAND[kind]
    logits = torch.zeros(2, *shape, requires_grad=True)
    loss = build_loss(kind, **options)(
        logits, torch.tensor([0, 1]), torch.zeros(2), avg_factor=1e-6
    )
    loss.backward()
    assert loss == 0
    assert not logits.grad.any()


@pytest.mark.parametrize('kind', HAND)
def test_soft_labels_are_used_or_refused_by_name(kind):
    options, shape, values = HAND[kind]
    loss = build_loss(kind, **options)
    logits = torch.zeros(2, *shape)
    soft = torch.tensor([[0.25, 0.75], [1.0, 0.0]])
    if kind not in SOFT:
        with pytest.raises(ValueError, match=f'{kind} needs one class per'):
            loss(logits, soft)
        assert kind in HARD_LABEL_PARTS
        return
    each = loss(logits, soft, reduction_override='none').tolist()
    first, second = values
    assert each == pytest.approx([0.25 * first + 0.75 * second, first])


@pytest.mark.parametrize('kind', HAND)
def test_wrong_arguments_are_errors(kind):
    options, shape, _ = HAND[kind]
    loss = build_loss(kind, **options)
    logits, target = torch.zeros(2, *shape), torch.tensor([0, 1])
    with pytest.raises(ValueError, match=rf'{kind} needs one weight .*\(2,'):
        loss(logits, target, torch.ones(2, 1))
    with pytest.raises(ValueError, match=r"one of .* got 'average'"):
        loss(logits, target, reduction_override='average')
    with pytest.raises(ValueError, match='avg_factor can not be used'):
        loss(logits, target, avg_factor=2, reduction_override='sum')
    with pytest.raises(TypeError, match='class_weight'):
        loss(logits, target, class_weight=[1, 2])

"""Losses and head of several experts."""

import math
from functools import partial

import pytest
import torch
import torch.nn.functional as F
from mmengine.registry import DefaultScope

from ltvl_mm.models import (
    DiverseExpertLoss,
    ExpertClsHead,
    ResLTLoss,
    RIDELoss,
)

TADE = dict(type='ltvl_mm.DiverseExpertLoss', num_classes=3)
COUNTS = torch.tensor([100, 10, 1])


@pytest.fixture(autouse=True)
def host_scope():
    with DefaultScope.overwrite_default_scope('mmpretrain'):
        yield


@pytest.mark.parametrize('scale', [None, 30.0])
def test_the_head_answers_with_the_mean(scale):
    head = ExpertClsHead(3, 4, loss=TADE, scale=scale)
    feats = tuple(torch.randn(2, 4) for _ in range(3))
    each = head.forward_experts(feats)
    assert each.shape == (2, 3, 3)
    assert torch.allclose(head(feats), each.mean(1))
    shared = head.forward_experts(feats[:1])
    assert torch.equal(shared[:, 0], each[:, 0])
    assert not torch.equal(shared[:, 1], each[:, 1])


def test_the_head_needs_a_feature_for_each_expert():
    with pytest.raises(ValueError, match='num_experts must be >= 2, got 1'):
        ExpertClsHead(3, 4, loss=TADE, num_experts=1)
    head = ExpertClsHead(3, 4, loss=TADE)
    with pytest.raises(ValueError, match='need 1 or 3 features, got 2'):
        head((torch.zeros(1, 4), torch.zeros(1, 4)))


def test_tade_by_hand():
    loss = DiverseExpertLoss(3, tau=2.0)
    loss.set_class_counts(COUNTS)
    value = loss(torch.zeros(1, 3, 3), torch.tensor([2]))
    # pi' of 100, 10, 1 is 1, 10, 100: weights n / n'^2.
    weights = [100 / 1, 10 / 100, 1 / 10_000]
    expected = (
        math.log(3) + math.log(111 / 1) + math.log(sum(weights) / weights[2])
    )
    assert value.item() == pytest.approx(expected, rel=1e-5)
    with pytest.raises(ValueError, match='is of 3 experts, got 2'):
        loss(torch.zeros(1, 2, 3), torch.tensor([2]))


def tade_slowly(logits, target, counts, tau):
    """The loss of TADE, one image after another; as the paper has it."""
    share = [count / sum(counts) for count in counts]
    order = sorted(range(len(counts)), key=counts.__getitem__)
    mirror = dict(zip(order, reversed(order), strict=True))
    total = 0.0
    for own, label in zip(logits.tolist(), target.tolist(), strict=True):
        for expert, scores in enumerate(own):
            weights = [
                math.exp(score)
                * (share[k] if expert else 1)
                / (share[mirror[k]] ** tau if expert == 2 else 1)
                for k, score in enumerate(scores)
            ]
            total -= math.log(weights[label] / sum(weights))
    return total / len(target)


@pytest.mark.parametrize('seed', range(5))
def test_tade_is_its_formula(seed):
    rng = torch.Generator().manual_seed(seed)
    classes, images = 2 + seed, 5 - seed  # two classes, one image
    counts = torch.randperm(300, generator=rng)[:classes] + 1
    logits = torch.randn(images, 3, classes, generator=rng)
    target = torch.randint(classes, (images,), generator=rng)
    loss = DiverseExpertLoss(classes, tau=1.5)
    loss.set_class_counts(counts)
    expected = tade_slowly(logits, target, counts.tolist(), 1.5)
    assert loss(logits, target).item() == pytest.approx(expected, rel=1e-5)


@pytest.mark.parametrize('counts', [[1000, 1], [100, 10, 1, 0]])
@pytest.mark.parametrize(
    'build_loss',
    [
        DiverseExpertLoss,
        RIDELoss,
        partial(RIDELoss, beta=0.9999),
        ResLTLoss,
    ],
)
def test_losses_of_several_logits_an_image_in_half_precision(
    build_loss, counts
):
    loss = build_loss(len(counts))
    loss.set_class_counts(torch.tensor(counts))
    logits = torch.full((1, 3, len(counts)), -30.0, dtype=torch.float16)
    logits[..., 0] = 30  # sure, and wrong
    logits.requires_grad_()
    with torch.autocast('cpu', dtype=torch.float16):
        value = loss(logits, torch.tensor([1]))
    value.backward()
    assert value.dtype == torch.float32
    assert torch.isfinite(value)
    assert torch.isfinite(logits.grad).all()


def test_tade_leaves_out_a_class_without_a_training_image():
    """The other classes' losses are those of a data set without it."""
    generator = torch.Generator().manual_seed(0)
    logits = torch.randn(4, 3, 3, generator=generator)
    target = torch.tensor([0, 1, 2, 0])
    loss = DiverseExpertLoss(3)
    loss.set_class_counts(COUNTS)
    wider = DiverseExpertLoss(4)
    wider.set_class_counts(torch.cat([COUNTS, COUNTS.new_zeros(1)]))
    # The first expert knows no counts: nothing of its share there.
    absent = torch.tensor([-100.0, 0.0, 0.0]).expand(4, 3)[..., None]
    value = wider(torch.cat([logits, absent], 2), target)
    assert value.item() == pytest.approx(loss(logits, target).item())


def ride_slowly(logits, target, loss, temperature):
    """The loss of RIDE, one expert and image after another."""
    mean = (logits.mean(1) / temperature).softmax(-1)
    total = 0.0
    for expert in range(logits.shape[1]):
        own = logits[:, expert]
        logs = (own / temperature).log_softmax(-1)
        distance = (mean * (mean.log() - logs)).sum() / len(own)
        margins = torch.zeros_like(own)
        roots = COUNTS.float() ** -0.25
        for row, label in enumerate(target):
            margins[row, label] = 30 * 0.5 * roots[label] / roots.max()
        weight = None
        if loss.beta is not None:
            weight = 1 / (1 - loss.beta ** COUNTS.float())
        base = F.cross_entropy(own - margins, target, weight=weight)
        total += base - 0.2 * temperature.mean() ** 2 * distance
    return total


@pytest.mark.parametrize('beta', [None, 0.99])
def test_ride_is_its_formula(beta):
    torch.manual_seed(0)
    logits, target = torch.randn(5, 4, 3), torch.tensor([0, 1, 2, 0, 1])
    loss = RIDELoss(3, beta=beta, spread=0.1)
    loss.set_class_counts(COUNTS)
    temperature = torch.ones(3)
    if beta is not None:
        weights = 3 * COUNTS / 111 * 0.1 + 0.9
        temperature = weights / weights.max()
    expected = ride_slowly(logits, target, loss, temperature)
    value = loss(logits, target)
    assert value.item() == pytest.approx(expected.item(), rel=1e-5)

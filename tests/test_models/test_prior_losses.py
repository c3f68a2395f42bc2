"""Losses that know the images per class."""

import math

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from mmpretrain.registry import MODELS
from ranks import RANKS, run_ranks

from ltvl_mm.models import LADELoss, LDAMLoss, LogitAdjustedLoss

LOSSES = ('LogitAdjustedLoss', 'LADELoss', 'LDAMLoss')
COUNTS = [100, 10, 1]


def build(kind, counts=COUNTS, **options):
    loss = MODELS.build(
        dict(type=f'ltvl_mm.{kind}', num_classes=len(counts), **options)
    )
    loss.set_class_counts(torch.tensor(counts))
    return loss


def draw(seed, rows, classes):
    generator = torch.Generator().manual_seed(seed)
    logits = torch.randn(rows, classes, generator=generator)
    return logits, torch.randint(classes, (rows,), generator=generator)


def test_balanced_softmax_by_hand():
    # z = 0: p is the prior, 100, 10 and 1 of 111.
    loss = build('LogitAdjustedLoss')
    for label, count in enumerate(COUNTS):
        value = loss(torch.zeros(1, 3), torch.tensor([label]))
        assert value.item() == pytest.approx(math.log(111 / count))


def test_half_of_the_adjustment_by_hand():
    loss = build('LogitAdjustedLoss', [9, 1], tau=0.5)
    value = loss(torch.zeros(1, 2), torch.tensor([1]))  # roots: 3 and 1
    assert value.item() == pytest.approx(math.log(4))


def test_equal_counts_or_no_tau_are_cross_entropy():
    logits, target = draw(0, 7, 3)
    expected = F.cross_entropy(logits, target)
    assert build('LogitAdjustedLoss', [5, 5, 5])(
        logits, target
    ) == pytest.approx(expected)
    assert build('LogitAdjustedLoss', tau=0.0)(
        logits, target
    ) == pytest.approx(expected)


def test_the_host_gives_factors_weights_and_soft_labels():
    logits, target = draw(1, 4, 3)
    loss = build('LogitAdjustedLoss', loss_weight=2.0)
    each = loss(logits, target, reduction_override='none')
    assert each.shape == (4,)
    assert loss(logits, target, avg_factor=8) == pytest.approx(each.sum() / 8)
    weight = torch.tensor([1.0, 0.0, 0.0, 0.0])
    assert loss(logits, target, weight) == pytest.approx(each[0] / 4)
    soft = F.one_hot(target, 3).float()
    assert loss(logits, soft) == pytest.approx(each.mean())


def density_slowly(logits, target, prior, penalty):
    """The regularizer as a loop over classes."""
    total = 0.0
    count, classes = logits.shape
    for label in range(classes):
        own = [logits[i, label] for i in range(count) if target[i] == label]
        mean = sum(own) / len(own) if own else 0.0
        terms = [
            math.exp(logits[i, label]) / prior[label] / classes
            for i in range(count)
        ]
        bound = math.log(sum(terms) / count)
        total += prior[label] * (mean - bound - penalty * bound**2)
    return -total


@pytest.mark.parametrize('seed', range(5))
def test_lade_is_its_formula(seed):
    rng = np.random.default_rng(seed)
    classes, rows = int(rng.integers(2, 6)), int(rng.integers(1, 9))
    counts = rng.integers(1, 50, classes).tolist()
    logits, target = draw(seed, rows, classes)
    prior = np.array(counts) / sum(counts)
    plain = F.cross_entropy(logits + torch.tensor(prior).log(), target)
    expected = plain + 0.3 * density_slowly(
        logits.double().numpy(), target.numpy(), prior, 0.7
    )
    value = build('LADELoss', counts, alpha=0.3, penalty=0.7)(logits, target)
    assert value.item() == pytest.approx(expected.item(), rel=1e-5)


def ldam_slowly(logits, target, counts, scale, margin, beta):
    roots = [count**-0.25 for count in counts]
    raw = [1 if beta is None else 1 / (1 - beta**count) for count in counts]
    total = weights = 0.0
    for row, label in zip(logits.tolist(), target.tolist(), strict=True):
        row[label] -= scale * margin * roots[label] / max(roots)
        part = math.log(sum(math.exp(one) for one in row)) - row[label]
        total += raw[label] * part
        weights += raw[label]
    return total / weights


@pytest.mark.parametrize('beta', [None, 0.0, 0.999])
@pytest.mark.parametrize('seed', range(3))
def test_ldam_is_its_formula(seed, beta):
    rng = np.random.default_rng(seed)
    counts = rng.integers(1, 50, 4).tolist()
    logits, target = draw(seed, 6, 4)
    loss = build('LDAMLoss', counts, scale=10.0, beta=beta)
    expected = ldam_slowly(logits, target, counts, 10, 0.5, beta)
    assert loss(logits, target).item() == pytest.approx(expected, rel=1e-5)


def test_ldam_margin_by_hand():
    # 16 and 1 images: 16^(-1/4) = 1/2, so margins are 1/4 and 1/2.
    loss = build('LDAMLoss', [16, 1], scale=4.0)
    for label, margin in ((0, 1.0), (1, 2.0)):
        value = loss(torch.zeros(1, 2), torch.tensor([label]))
        assert value.item() == pytest.approx(math.log(1 + math.exp(margin)))


@pytest.mark.parametrize('kind', LOSSES)
def test_absent_and_rare_classes_give_finite_gradients(kind):
    # Class 3 has no training image, class 0 none in the batch.
    loss = build(kind, [100, 10, 1, 0])
    logits = torch.full((2, 4), 20.0, requires_grad=True)
    value = loss(logits, torch.tensor([1, 2]))
    value.backward()
    assert torch.isfinite(value)
    assert torch.isfinite(logits.grad).all()


@pytest.mark.parametrize('kind', LOSSES)
def test_two_classes_in_half_precision(kind):
    loss = build(kind, [1000, 1])
    logits = torch.tensor([[30.0, -30.0]], dtype=torch.float16)
    with torch.autocast('cpu', dtype=torch.bfloat16):
        value = loss(logits, torch.tensor([1]))
    assert value.dtype == torch.float32
    assert torch.isfinite(value)


@pytest.mark.parametrize('kind', LOSSES)
def test_raises_without_class_counts(kind):
    loss = MODELS.build(dict(type=f'ltvl_mm.{kind}', num_classes=3))
    with pytest.raises(ValueError, match=r'add dict\(.*ClassCountsHook'):
        loss(torch.zeros(1, 3), torch.tensor([0]))
    # A checkpoint carries them.
    loss.load_state_dict(build(kind).state_dict())
    assert torch.isfinite(loss(torch.zeros(1, 3), torch.tensor([0])))


@pytest.mark.parametrize('kind', LOSSES)
def test_another_number_of_classes_is_an_error(kind):
    with pytest.raises(ValueError, match=r'num_classes=3, but .* 2 classes'):
        build(kind).set_class_counts(torch.tensor([1, 2]))


@pytest.mark.parametrize('kind', ['LADELoss', 'LDAMLoss'])
def test_soft_labels_are_refused_where_they_mean_nothing(kind):
    with pytest.raises(ValueError, match='train without MixUp'):
        build(kind)(torch.zeros(2, 3), torch.full((2, 3), 1 / 3))


def test_ranges_of_options():
    for tau in (-1, float('nan'), float('inf')):
        with pytest.raises(ValueError, match=f'finite number >= 0, got {tau}'):
            LogitAdjustedLoss(3, tau=tau)
    with pytest.raises(ValueError, match='beta must lie in'):
        LDAMLoss(3, beta=1.0)


def run_lade(rank):
    logits, target = draw(3, 8, 3)
    share = slice(rank * 4, rank * 4 + 4)
    scale = torch.ones(3, requires_grad=True)
    loss = LADELoss(3, alpha=0.5)
    loss.set_class_counts(torch.tensor(COUNTS))
    value = loss(logits[share] * scale, target[share])
    value.backward()
    return value.detach(), scale.grad


def test_lade_of_two_processes_is_that_of_their_joined_batch(tmp_path):
    parts = run_ranks(tmp_path, run_lade)
    logits, target = draw(3, 8, 3)
    scale = torch.ones(3, requires_grad=True)
    loss = build('LADELoss', alpha=0.5)
    value = loss(logits * scale, target)
    value.backward()
    # DDP's mean over the ranks.
    found = sum(part[0] for part in parts) / RANKS
    gradient = sum(part[1] for part in parts) / RANKS
    assert found.item() == pytest.approx(value.item(), rel=1e-5)
    assert torch.allclose(gradient, scale.grad, atol=1e-6)

"""Losses of two processes give the gradient of one with the whole batch."""

import pytest
import torch
from mmengine.dist import all_reduce
from mmpretrain.models.losses import CrossEntropyLoss, LabelSmoothLoss
from ranks import RANKS, run_ranks

from ltvl_mm.engine.hooks.retrieved_weights import all_reduce_mean
from ltvl_mm.models.losses.expert_losses import DiverseExpertLoss, RIDELoss
from ltvl_mm.models.losses.lade_loss import LADELoss
from ltvl_mm.models.losses.ldam_loss import LDAMLoss
from ltvl_mm.models.losses.logit_adjusted_loss import LogitAdjustedLoss
from ltvl_mm.models.losses.loss_arguments import average
from ltvl_mm.models.losses.reslt_loss import ResLTLoss

COUNTS = torch.tensor([10.0, 3.0, 1.5])
LABELS = torch.tensor([0, 0, 1, 0, 2, 1, 0, 2])
WEIGHTS = torch.tensor([1, 0.1, 0.9, 1, 0.3, 1, 0.02, 1])
# Name -> loss, and experts or branches of its logits; 0 for (N, K) logits.
LOSSES = {
    'cross-entropy': (CrossEntropyLoss, {}, 0),
    'label smoothing': (LabelSmoothLoss, dict(label_smooth_val=0.1), 0),
    'balanced softmax': (LogitAdjustedLoss, dict(num_classes=3), 0),
    'ldam': (LDAMLoss, dict(num_classes=3), 0),
    'drw': (LDAMLoss, dict(num_classes=3, beta=0.9), 0),
    'lade': (LADELoss, dict(num_classes=3), 0),
    'ride': (RIDELoss, dict(num_classes=3, beta=0.9), 3),
    'tade': (DiverseExpertLoss, dict(num_classes=3), 3),
    'reslt': (ResLTLoss, dict(num_classes=3, beta=0.9), 3),
}


def compute_gradient(name, rows, is_weighted):
    """Return the gradient of a linear model on some images of the batch."""
    kind, options, experts = LOSSES[name]
    loss = kind(**options)
    if hasattr(loss, 'set_class_counts'):
        loss.set_class_counts(COUNTS)
    torch.manual_seed(0)
    feats = torch.randn(len(LABELS), 4)[rows]
    linear = torch.randn(4, 3 * max(experts, 1), requires_grad=True)
    logits = feats @ linear
    if experts:
        logits = logits.view(len(logits), experts, 3)
    more = {}
    if is_weighted:  # as RetrievedWeightHook does
        weight = WEIGHTS[rows]
        more = dict(weight=weight, avg_factor=all_reduce_mean(weight.sum()))
    loss(logits, LABELS[rows], **more).backward()
    return linear.grad


def compute_gradients(rank):
    rows = list(range(rank, len(LABELS), RANKS))
    found = {}
    for name in LOSSES:
        for is_weighted in (False, True):
            gradient = compute_gradient(name, rows, is_weighted)
            all_reduce(gradient, 'mean')  # as DDP does
            found[name, is_weighted] = gradient
    found['mean'] = average(torch.tensor([1.0, 3.0 + 4 * rank]), None)
    weight = torch.tensor([1.0, 0.5 * rank])
    found['weighted'] = average(torch.tensor([1.0, 4.0]), weight)
    return found


@pytest.fixture(scope='module')
def gradients(tmp_path_factory):
    return run_ranks(tmp_path_factory.mktemp('ranks'), compute_gradients)[0]


@pytest.mark.parametrize('is_weighted', [False, True])
@pytest.mark.parametrize('name', LOSSES)
def test_two_processes_have_the_gradient_of_one(name, is_weighted, gradients):
    rows = list(range(len(LABELS)))
    expected = compute_gradient(name, rows, is_weighted)
    found = gradients[name, is_weighted]
    assert torch.allclose(found, expected, rtol=1e-4, atol=1e-6)


def test_means_are_of_all_processes(gradients):
    # (1 + 3 + 1 + 7) / 4, and (1 + 0 + 1 + 0.5 x 4) / 2.5.
    assert gradients['mean'].item() == 3
    assert gradients['weighted'].item() == pytest.approx(1.6)


def test_drw_is_the_mean_with_class_and_image_weights():
    loss = LDAMLoss(3, beta=0.9)
    loss.set_class_counts(COUNTS)
    logits = torch.zeros(3, 3)
    target = torch.tensor([0, 1, 2])
    weight = torch.tensor([1.0, 0.5, 0.25])
    margins = 30 * 0.5 * (COUNTS / 1.5) ** -0.25
    each = torch.log(1 + 2 * torch.exp(margins))  # of equal logits
    classes = 1 / (1 - 0.9**COUNTS)
    expected = (weight * classes * each).sum() / (weight * classes).sum()
    found = loss(logits, target, weight=weight, avg_factor=weight.sum())
    assert found.item() == pytest.approx(expected.item(), rel=1e-5)

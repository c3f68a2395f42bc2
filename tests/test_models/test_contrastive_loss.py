import math

import pytest
import torch
import torch.nn.functional as F
from ranks import run_ranks
from torch import nn
from torch.nn.parallel import DistributedDataParallel

from ltvl_mm.models.losses.contrastive_loss import (
    compute_contrastive_loss,
    gather_with_gradient,
)


def compute_slowly(images, texts, groups, scale):
    """Eq. 1 ff. of BALLAD, a pair at a time."""

    def one_way(rows, columns):
        total = 0
        for i in range(len(rows)):
            logits = [scale * rows[i] @ column for column in columns]
            norm = torch.logsumexp(torch.stack(logits), 0)
            losses = [
                norm - logits[j]
                for j in range(len(rows))
                if groups[i] == groups[j]
            ]
            total = total + sum(losses) / len(losses)
        return total / len(rows)

    return one_way(images, texts) + one_way(texts, images)


@pytest.mark.parametrize(
    'groups',
    [[0, 1, 2, 3, 4], [0, 1, 0, 2, 0], [7, 7, 7, 7, 7]],
    ids=['distinct', 'duplicates', 'one text'],
)
def test_the_loss_equals_its_formula(groups):
    torch.manual_seed(0)
    images, texts = F.normalize(torch.randn(2, 5, 3, dtype=float), dim=-1)
    groups, scale = torch.tensor(groups), torch.tensor(9.0)
    torch.testing.assert_close(
        compute_contrastive_loss(images, texts, groups, scale),
        compute_slowly(images, texts, groups, scale),
    )


def test_two_pairs_that_match_cost_what_one_computes_by_hand():
    pairs, both = torch.eye(2), torch.tensor([0, 1])
    loss = compute_contrastive_loss(pairs, pairs, both, 2.0)
    # -log(e^2 / (e^2 + 1)) in each direction.
    assert loss.item() == pytest.approx(2 * math.log(1 + math.exp(-2)))


def test_pairs_of_one_text_do_not_repel_each_other():
    pairs = torch.eye(2)[[0, 0, 1]]
    as_one, as_others = (
        compute_contrastive_loss(pairs, pairs, torch.tensor(groups), 50.0)
        for groups in ([0, 0, 1], [0, 1, 2])
    )
    # The best that two positives can do is to share the probability.
    assert as_one.item() == pytest.approx(2 * 2 / 3 * math.log(2), abs=1e-4)
    assert as_others.item() == pytest.approx(as_one.item(), abs=1e-4)
    apart = torch.eye(3)
    repelled = compute_contrastive_loss(
        apart, apart, torch.tensor([0, 0, 1]), 50.0
    )
    assert repelled > 10 * as_one


def test_a_single_process_gathers_its_own_rows():
    rows = torch.randn(3, 2, requires_grad=True)
    assert gather_with_gradient(rows) is rows


class Towers(nn.Module):
    """Two linear towers and a scale, as a CLIP model has."""

    def __init__(self):
        super().__init__()
        torch.manual_seed(0)
        self.image = nn.Linear(6, 4)
        self.text = nn.Linear(5, 4)
        self.logit_scale = nn.Parameter(torch.tensor(1.5))

    def forward(self, images, texts, tokens):
        images = F.normalize(self.image(images), dim=-1)
        texts = F.normalize(self.text(texts), dim=-1)
        return compute_contrastive_loss(
            gather_with_gradient(images),
            gather_with_gradient(texts),
            gather_with_gradient(tokens),
            self.logit_scale.exp(),
        )


def make_batch():
    """Six pairs, whose texts 0 and 4 are the same across processes."""
    generator = torch.Generator().manual_seed(1)
    tokens = torch.tensor([3, 5, 8, 9, 3, 9])
    images = torch.randn(6, 6, generator=generator)
    texts = torch.randn(20, 5, generator=generator)[tokens]
    return images, texts, tokens


def train_as_rank(rank):
    model = DistributedDataParallel(Towers())
    share = slice(3 * rank, 3 * rank + 3)
    loss = model(*(part[share] for part in make_batch()))
    loss.backward()
    gradients = {n: w.grad for n, w in model.module.named_parameters()}
    return loss.detach(), gradients


def test_two_processes_learn_as_one_does_on_the_joined_batch(tmp_path):
    found = run_ranks(tmp_path, train_as_rank)
    alone = Towers()
    loss = alone(*make_batch())
    loss.backward()
    for shared, gradients in found:
        torch.testing.assert_close(shared, loss, atol=1e-5, rtol=1e-5)
        for name, weight in alone.named_parameters():
            torch.testing.assert_close(
                gradients[name], weight.grad, atol=1e-5, rtol=1e-5
            )

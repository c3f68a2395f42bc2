"""Who is helped by more experts, and what a router sees."""

import pytest
import torch

from ltvl_mm.models.classifiers.expert_router import (
    ExpertRouter,
    average_experts,
    find_helped,
)


def test_helped_by_hand():
    # Experts of three images and two classes; the class is always 0.
    logits = torch.tensor(
        [
            [[2.0, 0.0], [0.0, 1.0], [0.0, 9.0]],  # right, right, wrong
            [[0.0, 1.0], [0.0, 1.0], [9.0, 0.0]],  # wrong, wrong, right
            [[0.0, 1.0], [2.0, 0.0], [0.0, 9.0]],  # wrong, right, wrong
        ]
    )
    means = average_experts(logits)
    expected = torch.tensor([[2.0, 0.0], [1.0, 0.5], [2 / 3, 10 / 3]])
    assert torch.allclose(means[0], expected)
    helped = find_helped(means, torch.zeros(3, dtype=torch.int64))
    assert helped.tolist() == [[False, False], [True, True], [True, False]]


@pytest.mark.parametrize('seed', range(5))
def test_helped_is_its_definition(seed):
    generator = torch.Generator().manual_seed(seed)
    count, experts, classes = 1 + 3 * seed, 2 + seed, 2 + seed % 3
    logits = torch.randn(count, experts, classes, generator=generator)
    target = torch.randint(classes, (count,), generator=generator)
    helped = find_helped(average_experts(logits), target)
    assert helped.shape == (count, experts - 1)
    for i in range(count):
        right = [
            logits[i, :asked].mean(0).argmax() == target[i]
            for asked in range(1, experts + 1)
        ]
        for e in range(experts - 1):
            expected = not right[e] and any(right[e + 1 :])
            assert helped[i, e].item() == expected


def test_a_router_sees_directions_and_the_largest_logits_in_order():
    router = ExpertRouter(2, num_experts=3, num_logits=2, width=1)
    with torch.no_grad():
        for hidden in router.hidden:
            hidden.weight.copy_(torch.tensor([[1.0, 0.0]]))
            hidden.bias.zero_()
        router.hidden[1].weight.neg_()
        router.score.weight.copy_(torch.tensor([[100.0, 10.0, 1.0]]))
        router.score.bias.fill_(0.5)
    feat, mean = torch.tensor([[6.0, 8.0]]), torch.tensor([[1.0, 3.0, 2.0]])
    assert router(feat, mean).tolist() == pytest.approx([320 + 0.6 + 0.5])
    # ReLU, of the next router.
    assert router(feat, mean, 1).tolist() == pytest.approx([320 + 0.5])

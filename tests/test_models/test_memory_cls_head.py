"""OLTR's head: the embedding and losses by hand and against slow ones."""

import pytest
import torch
from mmpretrain.structures import DataSample

from ltvl_mm.models import MemoryClsHead
from ltvl_mm.models.heads.memory_cls_head import recall_memory
from ltvl_mm.models.losses.centroids_loss import compute_centroids_loss


def draw(seed, rows, classes, width):
    """Return features, labels and centroids; some classes are absent."""
    generator = torch.Generator().manual_seed(seed)
    feats = torch.randn(rows, width, generator=generator)
    target = torch.randint(classes, (rows,), generator=generator)
    return feats, target, torch.randn(classes, width, generator=generator)


def build(classes=3, width=5, **options):
    torch.manual_seed(0)
    head = MemoryClsHead(
        classes,
        width,
        loss=dict(type='mmpretrain.CrossEntropyLoss'),
        **options,
    )
    head.set_class_means(torch.randn(classes, width))
    return head


def predict_slowly(head, f):
    """The (K,) logits of one feature, as the paper writes them."""
    memory = head.centroids
    shares = torch.softmax(head.hallucinator(f), 0)
    recalled = sum(s * c for s, c in zip(shares, memory, strict=True))
    nearest = min((f - c).norm() for c in memory)
    v = head.reach / nearest * (f + torch.tanh(head.selector(f)) * recalled)
    squashed = v.norm() / (1 + v.norm()) * v / v.norm()
    return torch.stack(
        [head.scale * squashed @ w / w.norm() for w in head.fc.weight]
    )


def loss_slowly(feats, target, centroids, margin, repulsion):
    drawn, others = 0.0, 0.0
    for f, label in zip(feats, target.tolist(), strict=True):
        for k, c in enumerate(centroids):
            squared = float((f - c) @ (f - c))
            if k == label:
                drawn += squared / (2 * len(feats))
            else:
                others += squared / (len(feats) * len(centroids))
    return drawn + repulsion * max(0.0, margin - others)


@pytest.mark.parametrize('seed', range(6))
def test_logits_are_the_formula(seed):
    classes, width = 2 + seed % 3, 3 + seed
    head = build(classes, width, scale=7.0, reach=0.5 + seed)
    feats, *_ = draw(seed, 1 + seed, classes, width)
    expected = torch.stack([predict_slowly(head, f) for f in feats])
    torch.testing.assert_close(head((feats,)), expected)


def test_an_embedding_by_hand():
    vector, squash = recall_memory(
        torch.tensor([[3.0, 0.0]]),
        torch.tensor([[0.25, 0.75]]),
        torch.tensor([[1.0, -0.5]]),
        torch.tensor([[0.0, 0.0], [4.0, 4.0]]),  # at 3 and at sqrt(17)
        reach=3.0,
    )
    assert vector.tolist() == [[6.0, -1.5]]
    length = 38.25**0.5  # |v|, times 3 / 3
    assert squash.item() == pytest.approx(length / (1 + length))


def test_on_a_centroid_logits_and_gradients_are_finite():
    """As for the only image of a class, before anything has learnt."""
    head = build(width=4)
    feats = head.centroids.detach().clone().requires_grad_()
    logits = head((feats,))
    cosines = head.fc(
        recall_memory(
            feats,
            head.hallucinator(feats).softmax(1),
            head.selector(feats).tanh(),
            head.centroids,
        )[0]
    )
    torch.testing.assert_close(logits, 16 * cosines, rtol=1e-3, atol=1e-3)
    logits.square().sum().backward()
    assert torch.isfinite(feats.grad).all()


@pytest.mark.parametrize('seed', range(6))
@pytest.mark.parametrize('margin', [0.0, 100.0])
def test_the_loss_is_its_formula(seed, margin):
    feats, target, centroids = draw(seed, 1 + 2 * seed, 2 + seed % 4, 4)
    value, follow = compute_centroids_loss(
        feats, target, centroids, margin=margin, repulsion=0.3
    )
    assert follow == 0
    expected = loss_slowly(feats, target, centroids, margin, 0.3)
    assert value.item() == pytest.approx(expected, rel=1e-4)


def test_a_loss_by_hand():
    """Own: 1 + 4 halved and over 2 rows; other: 16 + 9 of 2 x 2."""
    value, _ = compute_centroids_loss(
        torch.tensor([[1.0], [3.0]]),
        torch.tensor([0, 1]),
        torch.tensor([[0.0], [5.0]]),
        margin=7.25,
        repulsion=0.1,
    )
    assert value.item() == pytest.approx(1.25 + 0.1 * (7.25 - 6.25))


def test_frequent_classes_move_their_centroid_no_faster():
    feats = torch.tensor([[2.0], [4.0], [6.0], [9.0]], requires_grad=True)
    target = torch.tensor([0, 0, 0, 1])
    centroids = torch.tensor([[1.0], [8.0], [0.0]], requires_grad=True)
    loss, follow = compute_centroids_loss(feats, target, centroids, margin=0)
    (loss + follow).backward()
    # sum (c - f) / (N (1 + n)): (-1 - 3 - 5) / 4 / 4 and -1 / 4 / 2.
    assert centroids.grad.flatten().tolist() == [-0.5625, -0.125, 0.0]
    # Features move by the gradient, (f - c) / N.
    assert feats.grad.flatten().tolist() == [0.25, 0.75, 1.25, 0.25]


@pytest.mark.parametrize('seed', range(4))
@pytest.mark.parametrize('margin', [0.0, 100.0])
def test_the_weight_of_the_loss_does_not_slow_the_centroids(seed, margin):
    """The authors' backward: attraction's own, the repulsion by autograd."""
    classes, weight = 4, 0.01
    feats, target, _ = draw(seed, 3 + 2 * seed, classes, 5)
    feats.requires_grad_()
    head = build(classes, centroids_weight=weight, margin=margin)
    samples = [DataSample().set_gt_label(int(label)) for label in target]
    head.loss((feats,), samples)['loss_centroids'].backward()

    rows = len(feats)
    inputs = feats.detach().requires_grad_()
    memory = head.centroids.detach().requires_grad_()
    far = sum(
        (f - c).square().sum() / (rows * classes)
        for f, label in zip(inputs, target.tolist(), strict=True)
        for k, c in enumerate(memory)
        if k != label
    )
    (weight * 0.01 * (margin - far).clamp(min=0)).backward()
    for row, label in enumerate(target.tolist()):
        away = (memory[label] - inputs[row]).detach()
        count = 1 + target.tolist().count(label)
        inputs.grad[row] -= weight * away / rows
        memory.grad[label] += away / count / rows
    torch.testing.assert_close(feats.grad, inputs.grad)
    torch.testing.assert_close(head.centroids.grad, memory.grad)


def test_centroids_learn_by_their_own_loss_alone():
    head = build(centroids_weight=0.5)
    feats, target, _ = draw(1, 4, 3, 5)
    feats.requires_grad_()
    samples = [DataSample().set_gt_label(int(label)) for label in target]
    losses = head.loss((feats,), samples)
    assert set(losses) == {'loss_class', 'loss_centroids'}
    losses['loss_class'].backward(retain_graph=True)
    assert head.centroids.grad is None
    assert all(
        weight.grad.any()
        for name, weight in head.named_parameters()
        if name != 'centroids'
    )
    losses['loss_centroids'].backward()
    assert head.centroids.grad.any()
    own, _ = compute_centroids_loss(feats, target, head.centroids)
    assert losses['loss_centroids'].item() == pytest.approx(own.item() / 2)


@pytest.mark.parametrize('dtype', [torch.float16, torch.bfloat16])
def test_losses_are_full_precision_under_autocast(dtype):
    head = build(width=64)
    feats = 50 * torch.rand(4, 64)
    samples = [DataSample().set_gt_label(label) for label in (0, 1, 1, 2)]
    expected = head.loss((feats,), samples)
    with torch.autocast('cpu', dtype=dtype):
        found = head.loss((feats,), samples)
    sum(found.values()).backward()
    for name, value in found.items():
        assert value.dtype == torch.float32
        assert value.item() == pytest.approx(expected[name].item(), rel=0.05)
    assert all(torch.isfinite(p.grad).all() for p in head.parameters())


def test_a_checkpoint_carries_the_centroids():
    head, other = build(), MemoryClsHead(3, 5)
    assert not other.has_centroids()
    other.load_state_dict(head.state_dict())
    assert other.has_centroids()
    feats = torch.randn(2, 5)
    assert torch.equal(other((feats,)), head((feats,)))


def test_what_the_head_refuses():
    with pytest.raises(ValueError, match='reach must be > 0, got 0'):
        MemoryClsHead(3, 5, reach=0)
    with pytest.raises(ValueError, match='does not know the centroids'):
        MemoryClsHead(3, 5)((torch.zeros(1, 5),))
    with pytest.raises(ValueError, match=r'remembers \(3, 5\) .* of \(4, 5\)'):
        build().set_class_means(torch.zeros(4, 5))
    mixed = DataSample().set_gt_label(0).set_gt_score(torch.ones(3) / 3)
    with pytest.raises(ValueError, match='MemoryClsHead needs one class'):
        build().loss((torch.zeros(1, 5),), [mixed])

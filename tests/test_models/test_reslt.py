"""ResLT: its loss against a slow one, what each branch learns from."""

import math

import pytest
import torch
import torch.nn.functional as F

from ltvl_mm.models import ResLTHead, ResLTLoss, ResLTNeck

COUNTS = [100, 10, 1, 5]  # rarest first: classes 2, 3, 1, 0
LOSS = dict(type='ltvl_mm.ResLTLoss', num_classes=4)
TAUGHT = ({0, 1, 2, 3}, {1, 2, 3}, {2})


def build(**options):
    loss = ResLTLoss(4, **{'medium': 0.75, 'tail': 0.25, **options})
    loss.set_class_counts(torch.tensor(COUNTS))
    return loss


def loss_slowly(logits, target, beta, taught=TAUGHT):
    own, count = 0.0, 0
    for branch, classes in enumerate(taught):
        for row, label in enumerate(target.tolist()):
            if label in classes:
                own -= float(logits[row, branch].log_softmax(0)[label])
                count += 1
    fused = F.cross_entropy(logits.sum(1), target).item()
    return (1 - beta) * fused + beta * own / count


@pytest.mark.parametrize('beta', [0.0, 0.5, 1.0])
@pytest.mark.parametrize('labels', [[0, 1, 2, 3, 2], [0], [0, 0], [2, 2]])
def test_the_loss_is_its_formula(beta, labels):
    torch.manual_seed(0)
    logits, target = torch.randn(len(labels), 3, 4), torch.tensor(labels)
    value = build(beta=beta)(logits, target)
    expected = loss_slowly(logits, target, beta)
    assert value.item() == pytest.approx(expected, rel=1e-5)


def test_two_branches_as_on_inaturalist():
    neck = ResLTNeck(6, branches=2)
    head = ResLTHead(4, 6, loss=dict(type='ltvl_mm.ResLTLoss', num_classes=4))
    feats = neck((torch.randn(3, 6, 5, 3),))
    assert [feat.shape for feat in feats] == [(3, 6)] * 2
    logits = torch.stack([head.fc(feat) for feat in feats], 1).detach()
    target = torch.tensor([1, 2, 0])
    value = build(tail=None, beta=0.5)(logits, target)
    expected = loss_slowly(logits, target, 0.5, TAUGHT[:2])
    assert value.item() == pytest.approx(expected, rel=1e-5)
    with pytest.raises(ValueError, match='is of 3 branches, got 2; set'):
        build()(logits, target)


def test_a_common_class_teaches_the_first_branch_alone():
    logits = torch.zeros(1, 3, 4, requires_grad=True)
    build(beta=1.0)(logits, torch.tensor([0])).backward()
    assert logits.grad[0, 0].any()
    assert not logits.grad[0, 1:].any()


def test_uniform_logits_by_hand():
    value = build()(torch.zeros(2, 3, 4), torch.tensor([0, 2]))
    assert value.item() == pytest.approx(math.log(4))


def test_ranges_of_options():
    for options, message in (
        (dict(beta=2), r'beta must lie in \[0, 1\], got 2'),
        (dict(tail=0.9), r'tail must lie in \[0, 0\.75\], got 0\.9'),
    ):
        with pytest.raises(ValueError, match=message):
            build(**options)
    with pytest.raises(ValueError, match="'before' or 'after', got 'max'"):
        ResLTNeck(6, test_pooling='max')
    with pytest.raises(ValueError, match='branches must be >= 1, got 0'):
        ResLTNeck(6, branches=0)
    with pytest.raises(ValueError, match='does not know the images'):
        ResLTLoss(4)(torch.zeros(1, 3, 4), torch.tensor([0]))


def test_the_neck_pools_before_the_convolution_at_test_time():
    torch.manual_seed(0)
    necks = {
        where: ResLTNeck(6, test_pooling=where)
        for where in ('before', 'after')
    }
    necks['after'].load_state_dict(necks['before'].state_dict())
    maps = torch.randn(2, 6, 5, 3)
    trained = [torch.stack(neck((maps,))) for neck in necks.values()]
    assert torch.equal(*trained)
    for neck in necks.values():
        neck.eval()
    # The 1 x 1 convolution, BatchNorm and ReLU at each place, slowly.
    neck = necks['before']
    weight = neck.expand.conv.weight[:, :, 0, 0]  # (3 * 6, 6)
    norm = neck.expand.bn
    scale = norm.weight / (norm.running_var + norm.eps).sqrt()

    def expand(x):
        z = x @ weight.T
        return ((z - norm.running_mean) * scale + norm.bias).clamp(min=0)

    pooled = maps.flatten(2).mean(2)
    expected = expand(pooled).chunk(3, 1)
    places = maps.flatten(2).transpose(1, 2)  # (2, 15, 6)
    expected_after = expand(places).mean(1).chunk(3, 1)
    for found, value in zip(neck((maps,)), expected, strict=True):
        assert torch.allclose(found, value, atol=1e-6)
    for found, value in zip(
        necks['after']((maps,)), expected_after, strict=True
    ):
        assert torch.allclose(found, value, atol=1e-6)
    assert not torch.allclose(expected[0], expected_after[0], atol=1e-3)


def test_neck_and_head_have_their_shapes_and_gradients():
    neck = ResLTNeck(6)
    head = ResLTHead(
        4, 6, loss=dict(type='ltvl_mm.ResLTLoss', num_classes=4), gamma=1.0
    )
    feats = neck((torch.randn(2, 6, 5, 3),))
    assert [feat.shape for feat in feats] == [(2, 6)] * 3
    logits = head(feats)
    unit = F.normalize(head.fc.weight, dim=1)
    assert torch.allclose(logits, sum(feats) @ unit.T, atol=1e-5)
    stacked = torch.stack([head.fc(feat) for feat in feats], 1)
    build()(stacked, torch.tensor([1, 2])).backward()
    for weight in (*neck.parameters(), *head.parameters()):
        assert torch.isfinite(weight.grad).all()


def test_the_defaults_are_those_of_the_authors_on_imagenet_lt():
    assert ResLTNeck(6).test_pooling == 'before'
    assert ResLTHead(4, 6, loss=LOSS).gamma == 0.7


@pytest.mark.parametrize('gamma', [-0.5, math.nan, math.inf, '0.7', None])
def test_a_gamma_that_is_no_exponent_is_an_error(gamma):
    with pytest.raises(ValueError, match='gamma must be a number >= 0, got'):
        ResLTHead(4, 6, loss=LOSS, gamma=gamma)

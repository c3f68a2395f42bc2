"""Experts: shapes, what their gradients reach, their losses."""

import math
from functools import partial

import pytest
import torch
import torch.nn.functional as F
from mmengine.registry import DefaultScope
from mmpretrain.registry import MODELS
from mmpretrain.structures import DataSample

from ltvl_mm.models import (
    DiverseExpertLoss,
    ExpertClsHead,
    ResLTLoss,
    RIDELoss,
)

RESNEXT = dict(
    type='ResNeXt',
    depth=50,
    groups=8,
    width_per_group=4,
    base_channels=32,
    stem_channels=8,
)
TADE = dict(type='ltvl_mm.DiverseExpertLoss', num_classes=3)
COUNTS = torch.tensor([100, 10, 1])


@pytest.fixture(autouse=True)
def host_scope():
    with DefaultScope.overwrite_default_scope('mmpretrain'):
        yield


def build(backbone=RESNEXT, **options):
    return MODELS.build(
        dict(type='ltvl_mm.ExpertResNet', backbone=backbone, **options)
    )


@pytest.mark.parametrize(
    'backbone',
    [RESNEXT, dict(type='ResNet', depth=18), dict(type='ResNet', depth=50)],
    ids=lambda cfg: f'{cfg["type"]}{cfg["depth"]}',
)
def test_experts_have_the_backbone_s_shape_and_three_quarters_its_width(
    backbone,
):
    whole = MODELS.build(backbone)
    feats = build(backbone).eval()(torch.randn(2, 3, 64, 64))
    assert len(feats) == 3
    (expected,) = whole(torch.randn(2, 3, 64, 64))
    for feat in feats:
        assert feat.shape[2:] == expected.shape[2:]
        assert feat.shape[1] == expected.shape[1] * 3 // 4


def test_one_expert_of_full_width_is_the_backbone():
    whole = MODELS.build(RESNEXT)
    whole.eval()  # returns nothing
    expert = build(num_experts=1, width_ratio=1.0).eval()
    weights = iter(whole.state_dict().values())
    expert.load_state_dict(
        {name: next(weights) for name in expert.state_dict()}
    )
    images = torch.randn(2, 3, 64, 64)
    assert torch.equal(expert(images)[0], whole(images)[0])


def test_groups_are_as_narrow_as_ride_s():
    resnext = dict(RESNEXT, groups=32, base_channels=64)
    for stage, channels in ((0, 384), (1, 768)):
        conv = build(resnext).experts[0][stage][0].conv2
        assert conv.groups == 32
        assert conv.out_channels == channels


def test_parameters_are_those_of_ride_on_resnext_50():
    # With pooling, 1000 cosine classes each and 224 px: 6.08 G multiply-adds,
    # as TADE's authors publish, where one ResNeXt-50 has 4.26 G.
    resnext = dict(type='ResNeXt', depth=50, groups=32, width_per_group=4)
    count = sum(weight.numel() for weight in build(resnext).parameters())
    assert count == 38_281_024


def test_the_last_normalization_of_a_block_starts_at_zero():
    model = build()
    model.init_weights()
    for expert in model.experts:
        assert not expert[0][0].bn3.weight.any()
        assert expert[0][0].bn1.weight.all()


@pytest.fixture
def pretrained(tmp_path):
    """A backbone's config with weights, and what it is with them."""
    whole = MODELS.build(RESNEXT)
    for parameter in whole.parameters():
        torch.nn.init.normal_(parameter, std=0.1)
    torch.save(whole.state_dict(), tmp_path / 'whole.pth')
    cfg = dict(type='Pretrained', checkpoint=str(tmp_path / 'whole.pth'))
    return dict(RESNEXT, init_cfg=cfg), whole


def test_all_experts_of_full_width_begin_pretrained(pretrained):
    backbone, whole = pretrained
    model = build(backbone, num_experts=2, width_ratio=1.0)
    model.init_weights()
    whole.eval()
    model.eval()
    images = torch.randn(2, 3, 64, 64)
    for feat in model(images):
        assert torch.equal(feat, whole(images)[0])


def test_how_narrow_experts_begin_is_said(pretrained):
    backbone, whole = pretrained
    with pytest.raises(ValueError, match=r'experts of width_ratio=0\.75; exp'):
        build(backbone)
    model = build(backbone, init_cfg=dict(type='Kaiming', layer='Conv2d'))
    model.init_weights()
    loaded = model.trunk.layer2[0].conv1.weight
    assert torch.equal(loaded, whole.layer2[0].conv1.weight)
    conv = model.experts[0][0][0].conv1.weight
    # He et al.: sqrt(2 / outputs); torch's own is sqrt(1 / 3 inputs).
    assert conv.std().item() == pytest.approx((2 / len(conv)) ** 0.5, rel=0.1)


def test_a_checkpoint_of_all_experts_is_not_zeroed(tmp_path):
    source = build()
    torch.save(source.state_dict(), tmp_path / 'experts.pth')
    cfg = dict(type='Pretrained', checkpoint=str(tmp_path / 'experts.pth'))
    model = build(init_cfg=cfg)
    model.init_weights()
    assert model.experts[0][0][0].bn3.weight.all()


def test_stages_and_norms_of_experts_are_frozen_as_the_backbone_s():
    model = build(dict(RESNEXT, frozen_stages=3, norm_eval=True)).train()
    trained = {
        name
        for name, weight in model.named_parameters()
        if weight.requires_grad
    }
    assert trained == {
        name
        for name, _ in model.named_parameters()
        if name.startswith(('experts.0.1.', 'experts.1.1.', 'experts.2.1.'))
    }
    norms = [m for m in model.modules() if isinstance(m, torch.nn.BatchNorm2d)]
    assert not any(norm.training for norm in norms)
    assert model.experts[0].training
    model = build(dict(RESNEXT, frozen_stages=1)).train()
    assert all(module.training for module in model.experts.modules())


def test_an_expert_s_gradient_leaves_the_others_alone():
    model = build()
    model(torch.randn(2, 3, 64, 64))[1].sum().backward()
    for number, expert in enumerate(model.experts):
        touched = [p.grad is not None for p in expert.parameters()]
        assert all(touched) if number == 1 else not any(touched)
    assert model.trunk.conv1.weight.grad is not None


@pytest.mark.parametrize(
    ('options', 'message'),
    [
        (dict(num_experts=0), 'num_experts must be >= 1, got 0'),
        (dict(shared_stages=4), r'must lie in \[1, 4\), got 4'),
        (dict(width_ratio=0), r'must lie in \(0, 1\], got 0'),
        (
            dict(backbone=dict(type='VisionTransformer')),
            'parts a ResNet, got VisionTransformer',
        ),
    ],
)
def test_ranges_of_the_backbone(options, message):
    with pytest.raises(ValueError, match=message):
        build(**options)


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


@pytest.mark.parametrize('kind', ['DiverseExpertLoss', 'RIDELoss'])
def test_a_classifier_of_experts_trains_and_predicts(kind):
    model = MODELS.build(
        dict(
            type='ImageClassifier',
            backbone=dict(
                type='ltvl_mm.ExpertResNet', backbone=RESNEXT, shared_stages=3
            ),
            neck=dict(type='GlobalAveragePooling'),
            head=dict(
                type='ltvl_mm.ExpertClsHead',
                num_classes=3,
                in_channels=768,
                loss=dict(type=f'ltvl_mm.{kind}', num_classes=3),
            ),
        )
    )
    model.head.loss_module.set_class_counts(COUNTS)
    samples = [DataSample().set_gt_label(label) for label in (0, 2)]
    images = torch.randn(2, 3, 64, 64)
    losses = model(images, samples, mode='loss')
    losses['loss'].backward()
    for name, weight in model.named_parameters():
        assert torch.isfinite(weight.grad).all(), name
    (first, _) = model.eval()(images, samples, mode='predict')
    assert first.pred_score.shape == (3,)

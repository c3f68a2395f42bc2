"""Experts: shapes, what their gradients reach, their losses."""

import pytest
import torch
from mmengine.registry import DefaultScope
from mmpretrain.registry import MODELS
from mmpretrain.structures import DataSample

RESNEXT = dict(
    type='ResNeXt',
    depth=50,
    groups=8,
    width_per_group=4,
    base_channels=32,
    stem_channels=8,
)
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

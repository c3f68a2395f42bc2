"""Adapters in a frozen backbone, and a classifier that starts as texts."""

import pytest
import torch
from mmengine.registry import DefaultScope
from mmpretrain.registry import MODELS
from mmpretrain.structures import DataSample
from toy_clip import write_toy_classifier

from ltvl_mm.models import TextInitClsHead

VIT = dict(
    type='VisionTransformer',
    arch=dict(
        embed_dims=16, num_layers=2, num_heads=2, feedforward_channels=32
    ),
    img_size=32,
    patch_size=16,
    drop_path_rate=0.5,
)
CONV = r'visual\.layer\d\.\d\.conv3'
CLIP = dict(type='ltvl_mm.CLIPBackbone', arch='ltvl-toy')


@pytest.fixture(autouse=True)
def host_scope():
    with DefaultScope.overwrite_default_scope('mmpretrain'):
        yield


def build(backbone=VIT, targets=r'layers\.\d\.ffn', **options):
    torch.manual_seed(0)
    return MODELS.build(
        dict(
            type='ltvl_mm.AdaptedBackbone',
            backbone=backbone,
            targets=targets,
            dim=4,
            **options,
        )
    )


@pytest.mark.parametrize(
    ('backbone', 'targets'), [(VIT, r'layers\.\d\.ffn'), (CLIP, CONV)]
)
def test_at_first_nothing_changes_and_adapters_alone_are_trained(
    backbone, targets
):
    torch.manual_seed(0)
    plain = MODELS.build(backbone)
    plain.init_weights()
    plain.eval()
    model = build(backbone, targets).train()
    for part in (*plain.modules(), *model.modules()):
        if isinstance(part, torch.nn.BatchNorm2d):
            # The last of a block starts at zero and would stop gradients.
            torch.nn.init.ones_(part.weight)
    images = torch.randn(2, 3, 32, 32)
    # In training, too: what is frozen does not drop paths.
    feats = model(images)
    assert torch.allclose(feats[-1], plain(images)[-1], atol=1e-5)
    feats[-1].exp().sum().backward()
    trained = {n for n, p in model.named_parameters() if p.requires_grad}
    kinds = {name.rpartition('.')[0].rpartition('.')[2] for name in trained}
    assert {'down', 'up'} < kinds
    weights = dict(model.named_parameters())
    for name, weight in weights.items():
        assert (weight.grad is not None) == (name in trained), name
    # Zero is where ``up`` starts, not where it stays.
    assert any(weights[n].grad.any() for n in trained if '.up.' in n)


def test_an_adapter_by_hand():
    model = build(scale=2.0)
    adapter = model.backbone.layers[0].ffn
    x = torch.randn(1, 5, 16)
    before = adapter(x, identity=x)
    with torch.no_grad():
        adapter.up.bias += 3
    assert torch.allclose(adapter(x, identity=x), before + 6, atol=1e-5)


@pytest.mark.parametrize(
    ('backbone', 'targets', 'message'),
    [
        (VIT, 'blocks', "targets='blocks' is the name of no part; parts are"),
        (VIT, 'norm1|ln1', 'got LayerNorm'),
        (CLIP, r'visual\.conv1', 'got Conv2d'),
        (dict(CLIP, frozen=True), CONV, 'lets no gradient pass'),
    ],
)
def test_what_cannot_be_adapted_is_named(backbone, targets, message):
    with pytest.raises(ValueError, match=message):
        build(backbone, targets)


def test_the_classifier_starts_as_the_zero_shot_one(tmp_path):
    weights = str(write_toy_classifier(tmp_path / 'clip.pth'))
    names = ['red ring', 'blue star', 'green square']
    head = TextInitClsHead(
        'ltvl-toy', pretrained=weights, class_names=names, scale=7.0
    )
    head.init_weights()
    zero_shot = MODELS.build(
        dict(
            type='ltvl_mm.CLIPContrastiveHead',
            arch='ltvl-toy',
            pretrained=weights,
            class_names=names,
            logit_scale=7.0,
        )
    ).eval()
    feats = (torch.randn(4, head.in_channels),)
    with torch.no_grad():
        assert torch.allclose(head(feats), zero_shot(feats), atol=1e-4)
    # The text tower is not kept.
    assert set(head.state_dict()) == {'fc.weight'}


def test_a_classifier_of_both_trains(tmp_path):
    weights = str(write_toy_classifier(tmp_path / 'clip.pth'))
    model = MODELS.build(
        dict(
            type='ImageClassifier',
            backbone=dict(
                type='ltvl_mm.AdaptedBackbone',
                backbone=dict(CLIP, pretrained=weights),
                targets=CONV,
                dim=4,
            ),
            head=dict(
                type='ltvl_mm.TextInitClsHead',
                arch='ltvl-toy',
                pretrained=weights,
                class_names=['ox', 'cat'],
            ),
        )
    )
    visual = model.backbone.backbone.visual
    before = visual.conv1.weight.clone()
    model.init_weights()
    assert torch.equal(visual.conv1.weight, before)  # still the checkpoint's
    samples = [DataSample().set_gt_label(label) for label in (0, 1)]
    loss = model(torch.randn(2, 3, 32, 32), samples, mode='loss')['loss']
    loss.backward()
    assert model.head.fc.weight.grad.any()
    assert visual.conv1.weight.grad is None

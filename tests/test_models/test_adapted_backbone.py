"""Adapters in a frozen backbone, and a classifier that starts as texts."""

import pytest
import torch
from mmengine.registry import DefaultScope
from mmpretrain.registry import MODELS
from mmpretrain.structures import DataSample
from toy_clip import write_toy_classifier

from ltvl_mm.clip.class_prototypes import describe_classes
from ltvl_mm.clip.towers import build_clip, build_tokenizer
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
CLIP_VIT = dict(type='ltvl_mm.CLIPBackbone', arch='ltvl-toy-vit')
FFN = r'layers\.\d\.ffn'
MLP = r'visual\.transformer\.resblocks\.\d\.mlp'


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
    ('backbone', 'targets', 'norm'),
    [
        (VIT, FFN, None),
        (VIT, FFN, 'ln2'),
        (CLIP, CONV, None),
        (CLIP_VIT, MLP, None),
        (CLIP_VIT, MLP, 'ln_2'),
    ],
)
def test_at_first_nothing_changes_and_adapters_alone_are_trained(
    backbone, targets, norm
):
    torch.manual_seed(0)
    plain = MODELS.build(backbone)
    plain.init_weights()
    plain.eval()
    model = build(backbone, targets, norm=norm).train()
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
    assert 'before' not in kinds
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
    ('backbone', 'targets', 'norm', 'part'),
    [(VIT, FFN, 'ln2', 'ffn'), (CLIP_VIT, MLP, 'ln_2', 'mlp')],
)
def test_an_adapter_before_the_norm_reads_the_residual_stream(
    backbone, targets, norm, part
):
    model = build(backbone, targets, norm=norm, scale=0.5)
    adapters = [m for m in model.modules() if hasattr(m, 'down')]
    for adapter in adapters:
        torch.nn.init.normal_(adapter.up.weight)
    torch.manual_seed(0)
    slow = MODELS.build(backbone)
    slow.init_weights()
    slow.eval()
    blocks = [m for m in slow.modules() if hasattr(m, part)]
    for block, adapter in zip(blocks, adapters, strict=True):
        stream = []

        def keep(module, args, stream=stream):
            stream.append(args[0])

        def add(module, args, found, stream=stream, adapter=adapter):
            x = torch.layer_norm(stream.pop(), adapter.norm.normalized_shape)
            return found + 0.5 * adapter.up(adapter.down(x).relu())

        getattr(block, norm).register_forward_pre_hook(keep)
        getattr(block, part).register_forward_hook(add)
    images = torch.randn(2, 3, 32, 32)
    with torch.no_grad():
        assert torch.allclose(model(images)[-1], slow(images)[-1], atol=1e-4)


@pytest.mark.parametrize('norm', ['ln_1', 'norm2'])
def test_a_norm_that_is_not_right_before_the_part_is_refused(norm):
    with pytest.raises(
        ValueError, match=f"norm='{norm}' must be right .* where 'ln_2' is"
    ):
        build(CLIP_VIT, MLP, norm=norm)


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


def test_without_projection_it_starts_as_the_zero_shot_one_but_for_lengths(
    tmp_path,
):
    weights = str(
        write_toy_classifier(tmp_path / 'clip.pth', arch='ltvl-toy-vit')
    )
    clip = dict(arch='ltvl-toy-vit', pretrained=weights)
    names = ['red ring', 'blue star', 'green square']
    head = TextInitClsHead(
        **clip, class_names=names, scale=7.0, projection=False
    )
    head.init_weights()
    assert head.in_channels == 144
    assert torch.allclose(head.fc.weight.norm(dim=1), torch.ones(3))
    plain, projected = (
        MODELS.build(
            dict(type='ltvl_mm.CLIPBackbone', **clip, projection=projection)
        ).eval()
        for projection in (False, True)
    )
    assert 'visual.proj' not in plain.state_dict()
    zero_shot = MODELS.build(
        dict(
            type='ltvl_mm.CLIPContrastiveHead',
            **clip,
            class_names=names,
            logit_scale=7.0,
        )
    ).eval()
    images = torch.randn(4, 3, 32, 32)
    with torch.no_grad():
        feats, joint = plain(images), projected(images)
        matrix = projected.visual.proj  # (F, D)
        assert torch.allclose(feats[0] @ matrix, joint[0], atol=1e-5)
        texts = build_clip('ltvl-toy-vit', weights).eval()
        classes = describe_classes(
            texts.text, build_tokenizer('ltvl-toy-vit'), names, 'single'
        ).recall()
        lengths = (classes @ matrix.T).norm(dim=1)  # (K,)
        images_too = feats[0].norm(dim=1) / joint[0].norm(dim=1)  # (N,)
        found = head(feats) * lengths * images_too[:, None]
        assert torch.allclose(found, zero_shot(joint), atol=1e-4)


@pytest.mark.parametrize('arch', ['ltvl-toy', 'ViT-B-16-SigLIP'])
def test_a_tower_without_a_matrix_keeps_its_projection(arch):
    with pytest.raises(ValueError, match=r'only a ViT .* projection=True'):
        TextInitClsHead(arch, class_names=['ox', 'cat'], projection=False)
    with pytest.raises(ValueError, match=f'image tower of {arch} is none'):
        MODELS.build(
            dict(type='ltvl_mm.CLIPBackbone', arch=arch, projection=False)
        )


def test_what_texts_need_is_checked_when_the_head_is_built(monkeypatch):
    module = 'ltvl_mm.models.heads.text_init_cls_head'
    with pytest.raises(ValueError, match='is too long: its prompt'):
        TextInitClsHead('ltvl-toy', class_names=['ox ' * 99, 'cat'])

    def fail(arch):
        raise ValueError('the tokenizer needs the package transformers')

    monkeypatch.setattr(f'{module}.build_tokenizer', fail)
    with pytest.raises(ValueError, match='needs the package transformers'):
        TextInitClsHead('ltvl-toy', class_names=['ox', 'cat'])


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

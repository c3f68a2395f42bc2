"""LoRA and prompts in a frozen backbone, in place of adapters."""

import pytest
import torch
from mmengine.registry import DefaultScope
from mmpretrain.registry import MODELS
from torch import nn

from ltvl_mm.models.backbones.lora_backbone import LowRankChange
from ltvl_mm.models.backbones.prompted_backbone import PromptedBlock

VIT = dict(
    type='VisionTransformer',
    arch=dict(
        embed_dims=16, num_layers=2, num_heads=2, feedforward_channels=32
    ),
    img_size=32,
    patch_size=16,
    drop_path_rate=0.5,
)
CLIP = dict(type='ltvl_mm.CLIPBackbone', arch='ltvl-toy-vit')
BLOCK = r'visual\.transformer\.resblocks\.\d'
LORA = dict(type='ltvl_mm.LoRABackbone', rank=2)
PROMPTS = dict(type='ltvl_mm.PromptedBackbone', length=3)
EACH = [
    (CLIP, dict(LORA, targets=BLOCK + r'\.attn')),
    (VIT, dict(LORA, targets=r'layers\.\d\.attn\.qkv')),
    (CLIP, dict(PROMPTS, targets=BLOCK)),
    (VIT, dict(PROMPTS, targets=r'layers\.\d')),
]
each = pytest.mark.parametrize(('backbone', 'change'), EACH)
IMAGES = torch.randn(2, 3, 32, 32, generator=torch.Generator().manual_seed(0))


@pytest.fixture(autouse=True)
def host_scope():
    with DefaultScope.overwrite_default_scope('mmpretrain'):
        yield


def build(backbone, **change):
    torch.manual_seed(0)
    return MODELS.build(
        dict(change, backbone=backbone) if change else backbone
    )


@each
def test_only_what_is_new_trains_and_it_is_all_that_changes(backbone, change):
    model = build(backbone, **change).train()
    names = {n for n, p in model.named_parameters() if p.requires_grad}
    assert {n.rpartition('.')[2] for n in names} in ({'a', 'b'}, {'prompts'})
    before = {n: v.clone() for n, v in model.state_dict().items()}
    new = [p for p in model.parameters() if p.requires_grad]
    optimizer = torch.optim.SGD(new, lr=1.0)
    for _ in range(2):  # A has no gradient while B is zero
        optimizer.zero_grad()
        model(IMAGES)[-1].exp().sum().backward()
        optimizer.step()
    assert all(
        (p.grad is not None) == (n in names)
        for n, p in model.named_parameters()
    )
    after = model.state_dict()
    assert {n for n in after if not torch.equal(after[n], before[n])} == names


@each
def test_a_checkpoint_brings_the_same_answers(backbone, change):
    model = build(backbone, **change)
    for weight in model.parameters():
        if weight.requires_grad:
            nn.init.normal_(weight)
    torch.manual_seed(1)
    other = MODELS.build(dict(change, backbone=backbone))
    other.load_state_dict(model.state_dict())
    assert torch.equal(other(IMAGES)[-1], model(IMAGES)[-1])


@each
@pytest.mark.parametrize('dtype', [torch.bfloat16, torch.float16])
def test_under_autocast_all_stays_finite(backbone, change, dtype):
    model = build(backbone, **change)
    with torch.autocast('cpu', dtype):
        feats = model(IMAGES)[-1]
    feats.float().sum().backward()
    assert feats.isfinite().all()
    assert all(
        p.grad.isfinite().all() for p in model.parameters() if p.requires_grad
    )


@pytest.mark.parametrize(
    ('type_', 'targets'),
    [
        (dict(type='ltvl_mm.AdaptedBackbone', dim=4), r'layers\.\d\.ffn'),
        (LORA, r'layers\.\d\.attn\.qkv'),
    ],
)
def test_weights_are_loaded_by_the_names_the_backbone_gives_them(
    type_, targets, tmp_path
):
    torch.manual_seed(7)
    plain = MODELS.build(VIT)
    plain.eval()
    torch.save(plain.state_dict(), tmp_path / 'vit.pth')
    init_cfg = dict(type='Pretrained', checkpoint=str(tmp_path / 'vit.pth'))
    model = build(dict(VIT, init_cfg=init_cfg), **type_, targets=targets)
    model.init_weights()
    # And neither LoRA nor an adapter changes anything at first.
    assert torch.allclose(model(IMAGES)[-1], plain(IMAGES)[-1], atol=1e-5)


def test_a_change_of_low_rank_by_hand():
    weight = torch.arange(6.0).reshape(3, 2)
    change = LowRankChange(weight, 2, (True, False, True))
    assert torch.equal(change(weight), weight)
    with torch.no_grad():
        change.a.copy_(torch.tensor([[[1, 2], [3, 4]], [[5, 6], [7, 8]]]))
        change.b.copy_(torch.tensor([[[1, 0]], [[1, 1]]]))
    # Row 0: (1, 2) / 2. Row 2: (5 + 7, 6 + 8) / 2.
    expected = weight + torch.tensor([[0.5, 1], [0, 0], [6, 7]])
    assert torch.equal(change(weight), expected)


@pytest.mark.parametrize('rank', [1, 3])
def test_queries_and_values_change_as_in_a_slow_version(rank):
    model = build(CLIP, **dict(EACH[0][1], rank=rank))
    plain = build(CLIP).eval()
    for block, slow in zip(
        model.backbone.visual.transformer.resblocks,
        plain.visual.transformer.resblocks,
        strict=True,
    ):
        change = block.attn.parametrizations.in_proj_weight[0]
        nn.init.normal_(change.b)
        width = block.attn.embed_dim
        for number, start in enumerate((0, 2 * width)):  # q, v
            for r in range(rank):
                outer = torch.outer(
                    change.b[number, :, r], change.a[number, r]
                )
                rows = slow.attn.in_proj_weight.data[start : start + width]
                rows += outer.detach() / rank
    expected = plain(IMAGES)[-1]
    assert torch.allclose(model(IMAGES)[-1], expected, atol=1e-4)
    assert not torch.allclose(expected, build(CLIP).eval()(IMAGES)[-1])


@pytest.mark.parametrize('batch_first', [True, False])
@pytest.mark.parametrize('length', [1, 4])
def test_a_block_sees_its_prompts_wherever_they_stand(batch_first, length):
    block = nn.TransformerEncoderLayer(
        8, 2, 16, dropout=0, batch_first=batch_first
    )
    prompted = PromptedBlock(block, length)
    tokens = torch.randn(3, 5, 8)  # (B, L, D)
    prompts = prompted.prompts.expand(3, -1, -1)
    both = torch.cat([prompts, tokens], 1)  # in front, as in the paper
    if batch_first:
        found = prompted(tokens)
        expected = block(both)
    else:
        found = prompted(tokens.transpose(0, 1)).transpose(0, 1)
        expected = block(both.transpose(0, 1)).transpose(0, 1)
    assert torch.allclose(found, expected[:, length:], atol=1e-5)


def test_a_block_with_a_mask_is_refused():
    block = PromptedBlock(nn.TransformerEncoderLayer(8, 2, 16), 2)
    tokens = torch.randn(5, 3, 8)
    assert block(tokens, None, src_key_padding_mask=None).shape == (5, 3, 8)
    with pytest.raises(ValueError, match='a block that gets a mask'):
        block(tokens, src_mask=torch.zeros(5, 5))


@pytest.mark.parametrize(
    ('change', 'message'),
    [
        (dict(LORA, targets=BLOCK + r'\.ln_1'), 'linear layer.*got LayerNorm'),
        (dict(LORA, targets=BLOCK + r'\.attn', rank=0), 'rank must .* got 0'),
        (dict(LORA, targets='blocks'), 'is the name of no part'),
        (dict(PROMPTS, targets=BLOCK + r'\.mlp'), 'block.*got Sequential'),
        (dict(PROMPTS, targets=BLOCK, length=0), 'length must .* got 0'),
    ],
)
def test_what_cannot_be_changed_is_named(change, message):
    with pytest.raises(ValueError, match=message):
        build(CLIP, **change)


def test_an_attention_of_unequal_widths_is_refused():
    class Backbone(nn.Module):
        def __init__(self):
            super().__init__()
            self.attn = nn.MultiheadAttention(8, 2, kdim=4)

    MODELS.register_module('UnequalWidths', module=Backbone, force=True)
    with pytest.raises(ValueError, match='got MultiheadAttention'):
        build(dict(type='UnequalWidths'), **LORA, targets='attn')

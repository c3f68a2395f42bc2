"""Attention over places: against a slow one, and what it starts as."""

import pytest
import torch

from ltvl_mm.models import ModulatedAttentionNeck

POOL = dict(type='mmpretrain.GlobalAveragePooling')


def build(channels=6, size=3, neck=POOL):
    torch.manual_seed(0)
    return ModulatedAttentionNeck(channels, size, neck=neck)


def attend_slowly(neck, x):
    """The pooled map of one image, place after place."""
    places = x.flatten(1).T  # (S * S, C)
    attention = neck.places(x.flatten()).softmax(0)

    def embed(conv, place):
        return conv.weight[:, :, 0, 0] @ place + conv.bias

    pooled = 0
    for share_of_place, place in zip(attention, places, strict=True):
        query = embed(neck.query, place)
        logits = [query @ embed(neck.key, other) for other in places]
        shares = torch.stack(logits).softmax(0)
        related = sum(
            share * embed(neck.value, other)
            for share, other in zip(shares, places, strict=True)
        )
        mask = neck.mask.weight[:, :, 0, 0] @ related
        pooled = pooled + place + share_of_place * mask
    return pooled / len(places)


def test_each_place_is_as_the_formula_says():
    neck = build()
    torch.nn.init.normal_(neck.mask.weight)
    maps = torch.randn(2, 6, 3, 3)
    (found,) = neck((maps,))
    expected = torch.stack([attend_slowly(neck, x) for x in maps])
    torch.testing.assert_close(found, expected, rtol=1e-4, atol=1e-5)


def test_it_starts_as_the_neck_alone_and_learns():
    linear = dict(
        type='mmpretrain.LinearNeck',
        in_channels=6,
        out_channels=4,
        gap_dim=2,
        norm_cfg=None,
        act_cfg=dict(type='ReLU'),
    )
    for inner in (POOL, linear):
        neck = build(neck=inner)
        maps = torch.randn(2, 6, 3, 3)
        (found,) = neck((maps,))
        assert torch.equal(found, neck.neck((maps,))[0])
        found.square().sum().backward()
        assert neck.mask.weight.grad.any()
        assert all(p.grad is not None for p in neck.parameters())


@pytest.mark.parametrize('dtype', [torch.float16, torch.bfloat16])
def test_large_maps_stay_finite_under_autocast(dtype):
    neck = build(channels=256)
    torch.nn.init.normal_(neck.mask.weight)
    maps = 50 * torch.rand(2, 256, 3, 3)  # their products exceed float16
    with torch.autocast('cpu', dtype=dtype):
        (found,) = neck((maps,))
        loss = found.float().mean()
    loss.backward()
    assert torch.isfinite(found).all()
    assert all(torch.isfinite(p.grad).all() for p in neck.parameters())


def test_a_map_of_another_size_is_an_error():
    with pytest.raises(ValueError, match=r'has \(3, 2\) places, but .*\(3, 3'):
        build()((torch.zeros(1, 6, 3, 2),))

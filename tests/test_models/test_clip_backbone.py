import pytest
import torch
from mmengine.registry import MODELS

from ltvl_mm.clip.towers import build_clip


@pytest.fixture
def weights(tmp_path):
    file = tmp_path / 'clip.pt'
    torch.save(build_clip('ltvl-toy').state_dict(), file)
    return str(file)


def build(weights, **options):
    return MODELS.build(
        dict(
            type='ltvl_mm.CLIPBackbone',
            arch='ltvl-toy',
            pretrained=weights,
            **options,
        )
    )


@pytest.mark.smoke
def test_features_are_those_of_the_clip_model_in_a_tuple(weights):
    backbone = build(weights)
    backbone.eval()  # mmengine's does not return the module
    clip = build_clip('ltvl-toy', weights).eval()
    images = torch.randn(3, 3, 32, 32)
    with torch.no_grad():
        (features,) = backbone(images)
        expected = clip.visual(images)
    assert features.shape == (3, 128)
    torch.testing.assert_close(features, expected)
    assert not torch.allclose(features.norm(dim=1), torch.ones(3))


def test_initializing_keeps_the_pretrained_weights(weights):
    backbone = build(weights)
    before = {name: w.clone() for name, w in backbone.state_dict().items()}
    backbone.init_weights()  # as the Runner does
    for name, weight in backbone.state_dict().items():
        assert torch.equal(weight, before[name])


def test_init_cfg_overrules_the_pretrained_weights(weights):
    backbone = build(
        weights, init_cfg=dict(type='Constant', layer='Conv2d', val=0.5)
    )
    backbone.init_weights()
    convolutions = [
        module
        for module in backbone.modules()
        if isinstance(module, torch.nn.Conv2d)
    ]
    assert convolutions
    assert all((conv.weight == 0.5).all() for conv in convolutions)


def test_channels_last_changes_rounding_only(weights):
    images = torch.randn(2, 3, 32, 32)
    plain, other = build(weights), build(weights, channels_last=True)
    kernel = other.visual.conv1.weight
    assert kernel.is_contiguous(memory_format=torch.channels_last)
    assert torch.allclose(plain(images)[0], other(images)[0], atol=1e-4)

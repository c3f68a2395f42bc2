"""Ours give the features of open_clip's own model of the same weights."""

import open_clip
import pytest
import torch
from torch.nn import functional as F

from ltvl_mm.models import CLIPBackbone, CLIPContrastiveHead

NAMES = ('cat', 'great white shark', 'ox')


@pytest.mark.parametrize(
    'arch',
    [
        'RN50-quickgelu',
        'RN101-quickgelu',
        'ViT-B-16-quickgelu',
        'RN50x16-quickgelu',
    ],
)
def test_features_equal_those_of_open_clip(arch, monkeypatch):
    torch.manual_seed(0)
    reference = open_clip.create_model(arch).eval()
    _randomize_batch_norm(reference)
    state = reference.state_dict()
    size = reference.visual.image_size
    images = torch.randn(
        1, 3, *((size, size) if isinstance(size, int) else size)
    )
    prompts = open_clip.get_tokenizer(arch)(
        [f'a photo of a {name}.' for name in NAMES]
    )
    with torch.no_grad():
        expected = reference.encode_image(images)
        texts = F.normalize(reference.encode_text(prompts), dim=-1)
    del reference

    _skip_initialization(monkeypatch)
    backbone = CLIPBackbone(arch).eval()
    _load(backbone, state)
    head = CLIPContrastiveHead(arch, class_names=NAMES).eval()
    _load(head, state)
    with torch.no_grad():
        features = backbone(images)[0]
    assert expected.std() > 1e-3
    assert torch.allclose(features, expected, atol=1e-5, rtol=1e-5)
    assert torch.allclose(head.prototypes(), texts, atol=1e-5)


def _randomize_batch_norm(model):
    """Give it numbers that matter; open_clip's start turns blocks off."""
    for module in model.modules():
        if isinstance(module, torch.nn.BatchNorm2d):
            torch.nn.init.uniform_(module.weight, 0.2, 0.5)
            torch.nn.init.normal_(module.bias, std=0.1)
            torch.nn.init.normal_(module.running_mean, std=0.1)
            torch.nn.init.uniform_(module.running_var, 0.5, 2)


def _skip_initialization(monkeypatch):
    """Build in a third of the time what gets its weights loaded anyway."""
    for name in ('kaiming_uniform_', 'normal_', 'uniform_', 'xavier_uniform_'):
        monkeypatch.setattr(
            torch.nn.init, name, lambda tensor, *_, **__: tensor
        )


def _load(part, state):
    """Copy an open_clip state dict, which has no prefix for texts."""
    own = part.state_dict()
    for name in own:
        own[name] = state[name.removeprefix('text.')]
    part.load_state_dict(own)

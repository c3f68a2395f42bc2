"""A checkpoint of phase A starts phase B, whatever its neck and scale."""

import pytest
import torch
from mmengine.runner import save_checkpoint
from mmengine.runner.checkpoint import load_state_dict
from mmpretrain.registry import MODELS

from ltvl_mm.clip.towers import build_clip

NAMES = ['cat', 'great white shark', 'ox']
ADAPTER = dict(type='ltvl_mm.BalancedLinearAdapter', dim=128)


def make_classifier(*, neck=None, pretrained=None, **options):
    clip = dict(arch='ltvl-toy', pretrained=pretrained)
    return MODELS.build(
        dict(
            type='ImageClassifier',
            backbone=dict(type='ltvl_mm.CLIPBackbone', **clip),
            neck=neck,
            head=dict(
                type='ltvl_mm.CLIPContrastiveHead',
                class_names=NAMES,
                **clip,
                **options,
            ),
        )
    )


def save(model, path):
    """Save as mmengine's Runner does."""
    save_checkpoint(
        dict(meta={'epoch': 1}, state_dict=model.state_dict()), str(path)
    )
    return str(path)


@pytest.mark.parametrize('neck', [None, ADAPTER])
@pytest.mark.parametrize('scale', ['learned', 'frozen', 20.0])
def test_phase_a_starts_backbone_and_head_of_phase_b(tmp_path, neck, scale):
    first = make_classifier(neck=neck, logit_scale=scale)
    file = save(first, tmp_path / 'phase_a.pth')
    second = make_classifier(
        neck=ADAPTER, pretrained=file, logit_scale='frozen', loss='class_ce'
    )
    second.init_weights()
    old, new = first.state_dict(), second.state_dict()
    names = [name for name in new if not name.startswith('neck.')]
    assert len(names) == len(build_clip('ltvl-toy').state_dict())
    assert all(torch.equal(old[name], new[name]) for name in names)


@pytest.mark.parametrize(
    ('saved', 'loaded', 'expected'),
    [
        ('learned', 'frozen', 3.0),
        ('learned', 'learned', 3.0),
        ('learned', 100.0, 100.0),  # a number in the config is the config's
        (100.0, 'learned', 100.0),
        (100.0, 50.0, 50.0),
    ],
)
def test_the_scale_goes_through_a_checkpoint(saved, loaded, expected):
    source = make_classifier(logit_scale=saved)
    if saved == 'learned':
        source.head.logit_scale.data.fill_(3.0).log_()
    state = source.state_dict()
    for load in (torch.nn.Module.load_state_dict, load_state_dict):
        model = make_classifier(logit_scale=loaded)
        load(model, state, strict=True)
        assert model.head._scale().item() == pytest.approx(expected)
        saved_again = model.state_dict()['head.logit_scale'].exp().item()
        assert saved_again == pytest.approx(expected)
    # The state that was loaded from is as it was.
    assert torch.equal(state['head.logit_scale'], source.head.logit_scale)

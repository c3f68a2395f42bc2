import open_clip
import pytest
import torch
from toy_clip import write_toy_classifier

from ltvl_mm.clip.export import (
    explain_unfoldable,
    export_adapter,
    export_clip,
)
from ltvl_mm.clip.towers import build_tokenizer
from ltvl_mm.registry import MODELS

OFFICIAL = dict(
    type='ltvl_mm.BalancedLinearAdapter',
    dim=128,
    ratio=0.2,
    activation=None,
    bias=False,
)
PAPER = dict(type='ltvl_mm.BalancedLinearAdapter', dim=128)


def test_open_clip_finds_the_trained_features(tmp_path):
    checkpoint = write_toy_classifier(tmp_path / 'a.pth', seed=3)
    ours = export_clip('ltvl-toy', checkpoint, tmp_path / 'clip.pt')
    theirs = open_clip.create_model(
        'ltvl-toy', pretrained=str(tmp_path / 'clip.pt')
    ).eval()
    images = torch.rand(2, 3, 32, 32)
    texts = build_tokenizer('ltvl-toy')(['a cat', 'two owls'])
    with torch.no_grad():
        torch.testing.assert_close(
            theirs.encode_image(images), ours.visual(images)
        )
        torch.testing.assert_close(theirs.encode_text(texts), ours.text(texts))
    state = torch.load(checkpoint)['state_dict']
    torch.testing.assert_close(
        theirs.token_embedding.weight,
        state['head.text.token_embedding.weight'],
        check_device=False,
    )


@pytest.mark.parametrize('arch', ['ltvl-toy', 'ltvl-toy-vit'])
def test_a_linear_adapter_is_folded_in(tmp_path, arch):
    width = open_clip.get_model_config(arch)['embed_dim']
    neck = OFFICIAL | {'dim': width}
    checkpoint = write_toy_classifier(
        tmp_path / 'b.pth', arch=arch, seed=1, neck=neck
    )
    ours = export_clip(arch, checkpoint, tmp_path / 'clip.pt', adapter=neck)
    theirs = open_clip.create_model(
        arch, pretrained=str(tmp_path / 'clip.pt')
    ).eval()
    state = torch.load(checkpoint)['state_dict']
    tower = MODELS.build(dict(type='ltvl_mm.CLIPBackbone', arch=arch))
    adapter = MODELS.build(neck)
    for part, name in ((tower, 'backbone.'), (adapter, 'neck.')):
        part.load_state_dict(
            {
                key.removeprefix(name): state[key]
                for key in state
                if key.startswith(name)
            }
        )
    images = torch.rand(2, 3, 32, 32)
    with torch.no_grad():
        expected = adapter(tower.eval()(images))[-1]
        found = theirs.encode_image(images)
        plain = tower(images)[-1]
    torch.testing.assert_close(found, expected, rtol=1e-4, atol=1e-5)
    assert (plain - expected).abs().max() > 100 * (
        found - expected
    ).abs().max()
    assert torch.equal(ours.logit_scale, theirs.logit_scale)


def test_an_adapter_with_activation_has_no_place_in_open_clip(tmp_path):
    checkpoint = write_toy_classifier(tmp_path / 'b.pth', neck=PAPER)
    out = tmp_path / 'clip.pt'
    with pytest.raises(ValueError, match=r"config.json .* or phase A's chec"):
        export_clip('ltvl-toy', checkpoint, out)
    with pytest.raises(ValueError, match='it has an activation; write it bes'):
        export_clip('ltvl-toy', checkpoint, out, adapter=PAPER)
    assert not out.exists()
    export_clip('ltvl-toy', checkpoint, out, adapter=PAPER, fold=False)
    export_adapter(checkpoint, PAPER, tmp_path / 'adapter.pt')
    state = torch.load(tmp_path / 'adapter.pt')
    assert state['weight'].shape == (128, 128)
    assert state['bias'].shape == (128,)
    assert state['ratio'].item() == pytest.approx(0.2)


@pytest.mark.parametrize(
    ('change', 'reason'),
    [
        ({}, None),
        ({'normalize': 'after'}, None),
        ({'normalize': 'before'}, 'it takes normalized features'),
        ({'bias': True}, 'it has a bias'),
        ({'activation': 'relu'}, 'it has an activation'),
        ({'type': 'LinearNeck'}, 'it is a LinearNeck'),
    ],
)
def test_only_matrices_are_folded(change, reason):
    assert explain_unfoldable(OFFICIAL | change) == reason

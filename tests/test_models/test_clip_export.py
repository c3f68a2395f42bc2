import open_clip
import pytest
import torch
from toy_clip import write_toy_classifier

from ltvl_mm.models.clip_export import export_clip


def test_open_clip_finds_the_trained_features(tmp_path):
    checkpoint = write_toy_classifier(tmp_path / 'a.pth', seed=3)
    ours = export_clip('ltvl-toy', checkpoint, tmp_path / 'clip.pt')
    theirs = open_clip.create_model(
        'ltvl-toy', pretrained=str(tmp_path / 'clip.pt')
    ).eval()
    images = torch.rand(2, 3, 32, 32)
    texts = open_clip.get_tokenizer('ltvl-toy')(['a cat', 'two owls'])
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


def test_an_adapter_has_no_place_in_open_clip(tmp_path):
    checkpoint = write_toy_classifier(
        tmp_path / 'b.pth',
        neck=dict(type='ltvl_mm.BalancedLinearAdapter', dim=128),
    )
    with pytest.raises(ValueError, match="convert phase A's checkpoint"):
        export_clip('ltvl-toy', checkpoint, tmp_path / 'clip.pt')
    assert not (tmp_path / 'clip.pt').exists()

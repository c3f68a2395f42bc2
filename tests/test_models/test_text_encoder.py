import pytest
import torch
import torch.nn.functional as F

from ltvl_mm.models.clip import build_clip, build_tokenizer
from ltvl_mm.models.text_encoder import build_text_encoder, encode_classes

TEMPLATES = ('a {}.', 'the {}!', '{}')


def encode(texts):
    """Four numbers per text that depend on its letters."""
    return torch.tensor(
        [[len(t), t.count('a') + 1, t.count('!'), ord(t[0])] for t in texts],
        dtype=torch.float32,
    )


@pytest.mark.parametrize('batch_size', [1, 2, 5, 256])
def test_class_features_are_averages_of_normalised_prompts(batch_size):
    names = ['cat', 'dog', 'missile', 'missile']
    features = encode_classes(names, TEMPLATES, encode, batch_size=batch_size)
    assert features.shape == (4, 4)
    for name, feature in zip(names, features, strict=True):
        total = torch.zeros(4)
        for template in TEMPLATES:
            prompt = encode([template.replace('{}', name)])[0]
            total += prompt / prompt.norm()
        torch.testing.assert_close(feature, total / total.norm())


def test_a_name_with_braces_is_no_template():
    features = encode_classes(['{0} {x}'], ['a {}'], encode)
    expected = F.normalize(encode(['a {0} {x}']), dim=-1)
    torch.testing.assert_close(features, expected)


@pytest.mark.parametrize('templates', [[], ['a {}', 'a dog']])
def test_templates_must_have_a_place_for_the_name(templates):
    with pytest.raises(ValueError, match=r'with a {} for the class name, got'):
        encode_classes(['cat'], templates, encode)


def test_the_encoder_tokenizes_for_its_architecture():
    tower = build_clip('ltvl-toy').text.eval()
    texts = ('a cat', 'two dogs')
    with torch.no_grad():
        features = build_text_encoder(tower, 'ltvl-toy')(texts)
        expected = tower(build_tokenizer('ltvl-toy')(list(texts)))
    assert features.shape == (2, 128)
    torch.testing.assert_close(features, expected)

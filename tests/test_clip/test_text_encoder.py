"""Class names to features; how texts are cut is in test_short_prompts."""

import pytest
import torch
from torch import nn

from ltvl_mm.clip.templates import find_templates
from ltvl_mm.clip.text_encoder import encode_classes
from ltvl_mm.clip.tokenization import tokenize_classes
from ltvl_mm.clip.towers import build_clip, build_tokenizer

TOKENIZER = build_tokenizer('ltvl-toy')
NAMES = ('cat', 'great white shark', 'kite', 'ox', 'kite')
TEMPLATES = ('a photo of a {}.', 'the {}.')


@pytest.fixture(scope='module')
def tower():
    torch.manual_seed(0)
    return build_clip('ltvl-toy').text.eval().requires_grad_(False)


def test_a_class_is_the_mean_of_its_normalized_prompts(tower):
    tokens = tokenize_classes(NAMES, TEMPLATES, TOKENIZER)
    assert tokens.shape == (5, 2, 20)
    features = encode_classes(tower, tokens)
    for name, feature in zip(NAMES, features, strict=True):
        prompts = TOKENIZER([f'a photo of a {name}.', f'the {name}.'])
        mean = nn.functional.normalize(tower(prompts), dim=-1).mean(0)
        assert torch.allclose(feature, mean / mean.norm(), atol=1e-6)


def test_a_name_with_braces_is_no_template():
    tokens = tokenize_classes(['{0} {x}'], ['a {}'], TOKENIZER)
    assert torch.equal(tokens[0], TOKENIZER(['a {0} {x}']))


def test_classes_may_have_their_own_prompts_and_numbers_of_them(
    tower, tmp_path
):
    file = tmp_path / 'prompts.json'
    file.write_text('[["a pet {}.", "it purrs."], ["a wild {}."]]')
    templates = find_templates(str(file))
    assert templates == (('a pet {}.', 'it purrs.'), ('a wild {}.',))
    features = encode_classes(
        tower, tokenize_classes(['cat', 'ox'], templates, TOKENIZER)
    )
    first = tokenize_classes(['cat'], [['a pet cat.', 'it purrs.']], TOKENIZER)
    second = tokenize_classes(['ox'], ['a wild {}.'], TOKENIZER)
    expected = [encode_classes(tower, tokens) for tokens in (first, second)]
    assert torch.allclose(features, torch.cat(expected), atol=1e-6)


def test_a_name_that_does_not_fit_the_context_is_named_with_its_tokens():
    fits = ' '.join(['ox'] * 17)  # and 'the', start and end: 20
    assert tokenize_classes([fits], ['the {}'], TOKENIZER).shape[-1] == 20
    with pytest.raises(
        ValueError, match=r"class 1, 'ox ox .* has 21 tokens .* reads 20"
    ):
        tokenize_classes(['cat', fits + ' ox'], ['the {}'], TOKENIZER)


@pytest.mark.parametrize(
    ('templates', 'message'),
    [
        ([], r'with a \{\}'),
        (['a {}.', 'a dog.'], r"got \['a dog.'\]"),
        ([['a {}.']], 'each of the 2 classes; got 1 lists'),
        ([['a {}.'], []], 'got 2 lists with 0 or more'),
    ],
)
def test_templates_that_do_not_fit_the_classes_are_refused(templates, message):
    with pytest.raises(ValueError, match=message):
        tokenize_classes(['cat', 'ox'], templates, TOKENIZER)

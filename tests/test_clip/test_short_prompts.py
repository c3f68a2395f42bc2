import pytest
import torch
from open_clip.model import QuickGELU
from open_clip.transformer import TextTransformer
from torch import nn

from ltvl_mm.clip.text_encoder import (
    _split_by_length,
    encode_texts,
    encode_tokens,
)
from ltvl_mm.clip.towers import IMAGENET_NAMES, build_tokenizer

TOKENIZER = build_tokenizer('RN50')
NAMES = ('cat', 'great white shark', 'kite', 'ox', 'black-footed ferret')
END_OF_TEXT = 49407


def make_tower(**options):
    torch.manual_seed(0)
    tower = TextTransformer(
        width=32, heads=2, layers=2, output_dim=16, **options
    )
    # Large weights, so that a wrong token would show.
    nn.init.normal_(tower.token_embedding.weight)
    nn.init.normal_(tower.positional_embedding)
    return tower


@pytest.fixture(
    params=[
        {},
        {'act_layer': QuickGELU},
        {'pool_type': 'eos', 'eos_id': END_OF_TEXT},
    ],
    ids=['plain', 'quickgelu', 'eos'],
)
def tower(request):
    return make_tower(**request.param)


@pytest.fixture
def widths(monkeypatch):
    """The (texts, tokens) of every call of any text tower."""
    seen = []
    forward = TextTransformer.forward

    def record(self, text):
        seen.append(tuple(text.shape))
        return forward(self, text)

    monkeypatch.setattr(TextTransformer, 'forward', record)
    return seen


def run_with_gradients(tower, encode):
    """Return features and parameter gradients of an arbitrary loss."""
    tower.zero_grad()
    features = encode()
    weight = torch.arange(features.numel()).view_as(features).cos()
    (features * weight).sum().backward()
    return features.detach(), [p.grad.clone() for p in tower.parameters()]


def assert_equal(first, second, tolerance=1e-5):
    assert torch.allclose(first[0], second[0], atol=tolerance)
    for left, right in zip(first[1], second[1], strict=True):
        assert torch.allclose(left, right, atol=tolerance)


@pytest.mark.parametrize('chunk_size', [None, 1, 3, 100])
def test_cut_prompts_give_the_features_and_gradients_of_full_ones(
    tower, widths, chunk_size
):
    tokens = TOKENIZER([f'a photo of a {name}.' for name in NAMES])
    full = run_with_gradients(tower, lambda: tower(tokens))
    assert widths.pop() == (5, 77)
    cut = run_with_gradients(
        tower, lambda: encode_tokens(tower, tokens, chunk_size=chunk_size)
    )
    assert_equal(cut, full)
    assert max(length for _, length in widths) < 15


def test_a_bidirectional_tower_reads_the_padding(widths):
    tower = make_tower(no_causal_mask=True)
    tokens = TOKENIZER(['ox', 'great white shark'])
    assert torch.allclose(encode_tokens(tower, tokens), tower(tokens))
    assert widths == [(2, 77), (2, 77)]


def test_one_long_prompt_does_not_lengthen_the_others(widths):
    tower = make_tower()
    tokens = TOKENIZER(['ox'] * 9 + ['a very very very very long ox'])
    encode_tokens(tower, tokens)
    assert widths == [(9, 3), (1, 9)]
    assert _split_by_length(torch.tensor([8, 9, 9, 10])) == [4]
    assert _split_by_length(torch.tensor([5])) == [1]


def test_equal_texts_are_encoded_once(widths):
    tower = make_tower()
    tokens = TOKENIZER(['ox', 'cat', 'ox', 'cat', 'ox'])
    features = encode_texts(tower, tokens)
    assert widths == [(2, 3)]
    expected = nn.functional.normalize(tower(tokens), dim=-1)
    assert torch.allclose(features, expected, atol=1e-6)


def count_kept_bytes(tower, tokens, chunk_size):
    kept = []
    with torch.autograd.graph.saved_tensors_hooks(
        lambda tensor: kept.append(tensor.nbytes) or tensor, lambda x: x
    ):
        encode_tokens(tower, tokens, chunk_size=chunk_size)
    return sum(kept)


def test_chunks_keep_no_activations():
    tower = make_tower()
    tokens = TOKENIZER(list(IMAGENET_NAMES[:64]))
    whole = count_kept_bytes(tower, tokens, None)
    assert count_kept_bytes(tower, tokens[:32], None) > whole / 4  # it grows
    assert count_kept_bytes(tower, tokens, 8) < whole / 50


def test_a_piece_has_at_least_one_text():
    tokens = TOKENIZER(list(NAMES))
    with pytest.raises(ValueError, match='chunk_size must be >= 1, got 0'):
        encode_tokens(make_tower(), tokens, chunk_size=0)

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from PIL import Image

from ltvl_mm.clip import frozen_clip
from ltvl_mm.clip.frozen_clip import FrozenCLIP
from ltvl_mm.clip.towers import build_clip, build_tokenizer, identify_clip


@pytest.fixture(scope='module')
def model():
    torch.manual_seed(0)
    return build_clip('ltvl-toy').eval()


@pytest.fixture(scope='module')
def weights(model, tmp_path_factory):
    file = tmp_path_factory.mktemp('weights') / 'clip.pt'
    torch.save(model.state_dict(), file)
    return str(file)


def test_images_are_encoded_without_gradient_and_not_normalized(
    model, weights
):
    frozen = FrozenCLIP('ltvl-toy', weights)
    images = torch.randn(3, 3, 32, 32)
    features = frozen.encode_images(images)
    assert not features.requires_grad
    with torch.no_grad():
        torch.testing.assert_close(features, model.visual(images))
    assert not torch.allclose(features.norm(dim=1), torch.ones(3))


def test_half_precision_changes_features_little(weights, monkeypatch):
    monkeypatch.setattr(frozen_clip, 'prefers_bfloat16', lambda device: True)
    images = torch.randn(3, 3, 32, 32)
    features = [
        FrozenCLIP('ltvl-toy', weights, amp=amp).encode_images(images).float()
        for amp in (False, True)
    ]
    assert not torch.equal(*features)
    assert (F.cosine_similarity(*features) > 0.99).all()


def test_half_precision_needs_a_processor_that_has_it(weights, monkeypatch):
    monkeypatch.setattr(frozen_clip, 'prefers_bfloat16', lambda device: False)
    with pytest.raises(ValueError, match='faster in float32'):
        FrozenCLIP('ltvl-toy', weights, amp=True)


def test_class_names_become_unit_vectors(model, weights):
    frozen = FrozenCLIP('ltvl-toy', weights)
    features = frozen.encode_class_names(['cat', 'dog'], ['a {}', 'one {}'])
    assert features.dtype == torch.float32
    tokenize = build_tokenizer('ltvl-toy')
    for name, feature in zip(('cat', 'dog'), features, strict=True):
        with torch.no_grad():
            prompts = model.text(tokenize([f'a {name}', f'one {name}']))
        mean = F.normalize(prompts, dim=1).mean(0)
        torch.testing.assert_close(feature, mean / mean.norm())
    single = frozen.encode_class_names(['cat'], 'single')
    torch.testing.assert_close(single.norm(), torch.tensor(1.0))


def test_names_that_fit_are_encoded_and_tokenized_once(weights, monkeypatch):
    frozen = FrozenCLIP('ltvl-toy', weights)
    names, long = (
        ['cat', 'a ' * 99, 'dog', 'an ' * 99],
        {'a ' * 99, 'an ' * 99},
    )
    due = frozen.encode_class_names(['cat', 'dog'], ['a {}', 'one {}'])
    prompts = []
    tokenize = frozen.tokenizer

    class Recorder:
        context_length = tokenize.context_length

        def __call__(self, texts, context_length=None):
            prompts.extend(texts)
            return tokenize(texts, context_length)

    monkeypatch.setattr(frozen, 'tokenizer', Recorder())
    features, too_long = frozen.encode_fitting_names(names, ['a {}', 'one {}'])
    assert torch.equal(features, due)
    assert too_long == long
    assert prompts.count('one dog') == 1
    none, too_long = frozen.encode_fitting_names(list(long), ['a {}'])
    assert (len(none), too_long) == (0, long)


def test_identity_and_preprocessing_are_those_of_the_model(model, weights):
    frozen = FrozenCLIP('ltvl-toy', weights)
    text = (
        'shortest side to 32x32, center crop, bicubic, '
        'mean 0.48145466 0.4578275 0.40821073, '
        'std 0.26862954 0.26130258 0.27577711'
    )
    assert frozen.identity == identify_clip('ltvl-toy', model, text)
    gray = Image.fromarray(np.full((50, 40, 3), 128, np.uint8))
    assert frozen.preprocess(gray).shape == (3, 32, 32)


def test_weights_are_needed():
    with pytest.raises(ValueError, match='no checkpoint no-such-file'):
        FrozenCLIP('ltvl-toy', 'no-such-file.pt')

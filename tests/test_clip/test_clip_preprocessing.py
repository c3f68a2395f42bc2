"""Preprocessing of all models that open_clip lists, without their weights."""

import json
import re
from types import SimpleNamespace

import numpy as np
import open_clip
import pytest
import torch
from open_clip import factory
from PIL import Image

from ltvl_mm.clip.preprocessing import (
    build_image_transform,
    find_preprocessing,
    name_preprocessing,
)

IMAGE = Image.fromarray(
    np.random.default_rng(0).integers(0, 256, (37, 53, 3), np.uint8)
)
OPENAI = {
    'mean': open_clip.OPENAI_DATASET_MEAN,
    'std': open_clip.OPENAI_DATASET_STD,
    'resize_mode': 'shortest',
    'interpolation': 'bicubic',
}
HALF = {'mean': (0.5,) * 3, 'std': (0.5,) * 3}


class FakeModel(SimpleNamespace):
    """What open_clip's create_model reads of a model, without weights."""

    def __init__(self, vision_cfg, **_):
        size = vision_cfg['image_size']
        super().__init__(visual=SimpleNamespace(image_size=(size, size)))

    def to(self, **_):
        return self


@pytest.fixture
def without_weights(monkeypatch):
    """Let open_clip create transforms without downloads and towers."""
    for name in ('CLIP', 'CustomTextCLIP', 'CoCa'):
        monkeypatch.setattr(factory, name, FakeModel)
    monkeypatch.setattr(factory, 'download_pretrained', lambda *_, **__: '-')
    monkeypatch.setattr(factory, 'load_checkpoint', lambda *_, **__: None)


@pytest.mark.filterwarnings('ignore:QuickGELU mismatch')
def test_all_tags_have_the_pixels_of_open_clip(without_weights):
    compared = {}
    for arch, tag in open_clip.list_pretrained():
        theirs = open_clip.create_model_and_transforms(arch, tag)[2]
        ours = build_image_transform(find_preprocessing(arch, tag))
        # Equal transforms have equal pixels: compare each kind once.
        kind = repr(theirs), repr(ours)
        if kind not in compared:
            compared[kind] = torch.equal(theirs(IMAGE), ours(IMAGE))
        assert compared[kind], (arch, tag)
    assert len(compared) > 20


def test_the_identity_holds_all_values():
    values = OPENAI | HALF | {'resize_mode': 'longest', 'fill_color': 7}
    text = name_preprocessing(find_preprocessing('RN50', None, values))
    assert text == (
        'longest side to 224x224, padded with 7, bicubic, '
        'mean 0.5 0.5 0.5, std 0.5 0.5 0.5'
    )


def capture_logs(monkeypatch):
    said = []
    monkeypatch.setattr(
        'ltvl_mm.clip.preprocessing.print_log',
        lambda message, *_: said.append(message),
    )
    return said


def test_only_values_that_are_not_given_are_logged(monkeypatch):
    said = capture_logs(monkeypatch)
    values = HALF | {'resize_mode': 'squash'}
    find_preprocessing('RN50', 'mine.pt', values)
    assert len(said) == 1
    assert 'all tags of RN50: interpolation bicubic. If' in said[0]
    assert 'mean' not in said[0]
    find_preprocessing('RN50', 'b.pt', values | {'interpolation': 'bicubic'})
    assert len(said) == 1


@pytest.mark.parametrize(
    ('arch', 'expected', 'source'),
    [
        # All tags of a SigLIP agree; two of ViT-L-14 do not.
        ('ViT-B-16-SigLIP', HALF, 'all tags of ViT-B-16-SigLIP'),
        ('ViT-L-14', OPENAI, r'OpenAI .the tags of ViT-L-14 differ: openai'),
        ('ltvl-toy', OPENAI, 'OpenAI .ltvl-toy has no tags'),
    ],
)
def test_a_file_has_the_values_of_the_architecture(
    arch, expected, source, monkeypatch
):
    said = capture_logs(monkeypatch)
    found = find_preprocessing(arch, 'mine.pt')
    assert (found.mean, found.std) == (expected['mean'], expected['std'])
    assert len(said) == 1
    assert re.search(f'mine.pt does not name .* that of {source}', said[0])


@pytest.mark.parametrize('form', [dict, json.dumps])
def test_values_replace_those_of_the_weights(form):
    values = form(HALF | {'resize_mode': 'squash'})
    found = find_preprocessing('RN50-quickgelu', 'openai', values)
    assert (found.mean, found.std) == (HALF['mean'], HALF['std'])
    assert (found.resize_mode, found.interpolation) == ('squash', 'bicubic')
    assert found.size == 224


def test_a_tag_replaces_the_values_of_a_file():
    found = find_preprocessing('ViT-L-14', 'a.pt', 'laion2b_s32b_b82k')
    assert (found.mean, found.std) == (HALF['mean'], HALF['std'])


@pytest.mark.parametrize(
    ('preprocess', 'message'),
    [
        ('opnai', r"has 'opnai'; expected a tag of RN50-quickgelu .openai"),
        ('[1]', r"has '\[1\]'; expected a tag"),
        ({'size': 64}, "has 'size'; .* the size is the architecture's"),
        ({'mean': [0.5]}, r'mean of preprocess must be three .* got \[0.5\]'),
        ({'mean': [123, 116, 104]}, r'three numbers in \[0, 1\]'),
        ({'std': [0, 1, 1]}, 'std of preprocess must be .* above 0; got'),
        ({'resize_mode': 'short'}, 'one of shortest, longest, squash; got'),
        ({'interpolation': 'x'}, "one of bicubic, bilinear; got 'x'"),
        ({'fill_color': 256}, 'a whole number from 0 to 255; got 256'),
    ],
)
def test_wrong_values_are_refused(preprocess, message):
    with pytest.raises(ValueError, match=message):
        find_preprocessing('RN50-quickgelu', 'openai', preprocess)


def test_an_unknown_architecture_is_refused():
    with pytest.raises(ValueError, match="'ViT-B16'; did you mean ViT-B-16"):
        find_preprocessing('ViT-B16', None)

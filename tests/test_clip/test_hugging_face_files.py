"""Packages and files of Hugging Face that some CLIP families need."""

import json

import numpy
import open_clip
import pytest
import torch
from PIL import Image

import ltvl_mm
from ltvl_mm.apis.retrieval_settings import RetrievalSettings
from ltvl_mm.clip import families
from ltvl_mm.clip.tokenization import tokenize_classes
from ltvl_mm.clip.towers import build_clip, build_tokenizer

NARROW_TEXT = dict(width=16, heads=2, layers=1)


def test_a_missing_package_is_named(monkeypatch):
    monkeypatch.setattr(families, 'find_spec', lambda _: None)
    remedy = 'needs the package transformers: pip install -r requirements/'
    with pytest.raises(
        ValueError, match=rf'tokenizer of ViT-B-16-SigLIP \(timm/.*{remedy}'
    ):
        build_tokenizer('ViT-B-16-SigLIP')
    with pytest.raises(
        ValueError, match=rf'text tower of xlm-roberta-base.*{remedy}'
    ):
        build_clip('xlm-roberta-base-ViT-B-32')


def test_an_unreachable_hub_is_explained(monkeypatch):
    def fail(*_, **__):
        raise OSError("We couldn't connect\nto 'https://huggingface.co'")

    monkeypatch.setattr(families, 'find_spec', lambda _: True)
    monkeypatch.setattr(open_clip, 'get_tokenizer', fail)
    monkeypatch.setattr(open_clip, 'create_model', fail)
    remedy = r"run .hf download {}. elsewhere .* .OSError: We couldn't connect"
    with pytest.raises(
        ValueError, match=remedy.format('timm/ViT-B-16-SigLIP')
    ):
        build_tokenizer('ViT-B-16-SigLIP')
    with pytest.raises(ValueError, match=remedy.format('xlm-roberta-base')):
        build_clip('xlm-roberta-base-ViT-B-32')


def test_no_base_weights_are_fetched_for_a_local_file(monkeypatch):
    settings = {}

    def create(*_, **given):
        settings.update(given)
        raise OSError('enough')

    monkeypatch.setattr(families, 'find_spec', lambda _: True)
    monkeypatch.setattr(open_clip, 'create_model', create)
    with pytest.raises(ValueError, match='enough'):
        build_clip('xlm-roberta-base-ViT-B-32')
    assert settings['pretrained_text'] is False


@pytest.fixture(scope='module')
def local_words(tmp_path_factory):
    """Write a SigLIP with a local tokenizer; return its file."""
    folder = tmp_path_factory.mktemp('siglip')
    reason = 'needs transformers: requirements/huggingface.txt'
    transformers = pytest.importorskip('transformers', reason=reason)
    tokenizers = pytest.importorskip('tokenizers', reason=reason)
    words = tokenizers.Tokenizer(
        tokenizers.models.WordLevel(
            {'<pad>': 0, '</s>': 1, 'a': 2, 'cat': 3}, unk_token='<pad>'
        )
    )
    words.pre_tokenizer = tokenizers.pre_tokenizers.Whitespace()
    words.post_processor = tokenizers.processors.TemplateProcessing(
        single='$A </s>', special_tokens=[('</s>', 1)]
    )
    transformers.PreTrainedTokenizerFast(
        tokenizer_object=words, pad_token='</s>', eos_token='</s>'
    ).save_pretrained(folder / 'words')
    config = open_clip.get_model_config('ViT-B-16-SigLIP')
    config['embed_dim'] = 64
    config['vision_cfg'] |= {
        'timm_model_name': 'test_vit',
        'timm_pool': 'avg',
        'timm_proj': 'linear',
        'image_size': 160,
    }
    config['text_cfg'] |= NARROW_TEXT | {
        'vocab_size': 4,
        'context_length': 7,
        'hf_tokenizer_name': str(folder / 'words'),
    }
    file = folder / 'local-words.json'
    file.write_text(json.dumps(config))
    return str(file)


def test_a_tokenizer_of_hugging_face_can_be_local(local_words):
    tokenizer = build_tokenizer(local_words)
    tokens = tokenize_classes(['cat', 'a cat'], ['a {}'], tokenizer)
    assert tokens[0].tolist() == [[2, 3, 1, 1, 1, 1, 1]]
    assert tokens[1].tolist() == [[2, 2, 3, 1, 1, 1, 1]]
    with pytest.raises(ValueError, match=r'has 8 tokens and .* reads 7'):
        tokenize_classes(['a a a a a cat'], ['a {}'], tokenizer)


def test_a_siglip_embeds_and_retrieves(local_words, tmp_path):
    weights = str(tmp_path / 'weights.pt')
    torch.manual_seed(0)
    torch.save(build_clip(local_words).state_dict(), weights)
    (tmp_path / 'web').mkdir()
    for index in range(3):
        pixels = numpy.random.default_rng(index).bytes(40 * 48 * 3)
        image = Image.frombytes('RGB', (48, 40), pixels)
        image.save(tmp_path / 'web' / f'{index}.png')
    encoder = dict(
        arch=local_words,
        pretrained=weights,
        preprocess=dict(mean=[0.5] * 3, std=[0.5] * 3, resize_mode='squash'),
        device='cpu',
    )
    store = ltvl_mm.embed(
        tmp_path / 'web', tmp_path / 'store', workers=0, **encoder
    )
    assert 'squashed to 160x160' in store.encoder['preprocessing']
    manifest = ltvl_mm.retrieve(
        store,
        tmp_path / 'retrieved',
        RetrievalSettings(
            class_names=['cat', 'a cat'],
            templates=['{}'],
            exclude=None,
            budget=2,
            **encoder,
        ),
    )
    assert len(manifest) == 4

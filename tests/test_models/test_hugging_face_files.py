"""Packages and files of Hugging Face that some CLIP families need."""

import json

import open_clip
import pytest

from ltvl_mm.models import clip_families
from ltvl_mm.models.clip import build_clip, build_tokenizer
from ltvl_mm.models.text_encoder import tokenize_classes

NARROW_TEXT = dict(width=16, heads=2, layers=1)


def test_a_missing_package_is_named(monkeypatch):
    monkeypatch.setattr(clip_families, 'find_spec', lambda _: None)
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

    monkeypatch.setattr(clip_families, 'find_spec', lambda _: True)
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

    monkeypatch.setattr(clip_families, 'find_spec', lambda _: True)
    monkeypatch.setattr(open_clip, 'create_model', create)
    with pytest.raises(ValueError, match='enough'):
        build_clip('xlm-roberta-base-ViT-B-32')
    assert settings['pretrained_text'] is False


def test_a_tokenizer_of_hugging_face_can_be_local(tmp_path):
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
    ).save_pretrained(tmp_path / 'words')
    config = open_clip.get_model_config('ViT-B-16-SigLIP')
    config['text_cfg'] |= NARROW_TEXT | {'context_length': 4}
    config['text_cfg']['hf_tokenizer_name'] = str(tmp_path / 'words')
    (tmp_path / 'local-words.json').write_text(json.dumps(config))
    open_clip.add_model_config(tmp_path / 'local-words.json')
    tokenizer = build_tokenizer('local-words')
    tokens = tokenize_classes(['cat', 'a cat'], ['a {}'], tokenizer)
    assert tokens.tolist() == [[[2, 3, 1, 1]], [[2, 2, 3, 1]]]
    with pytest.raises(ValueError, match=r'has 5 tokens and .* reads 4'):
        tokenize_classes(['a a cat'], ['a {}'], tokenizer)

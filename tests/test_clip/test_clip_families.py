"""Every family of open_clip's models, narrow, with random weights.

Each is built as open_clip builds it, from its own config with fewer and
narrower layers, and must have the same features in our backbone and head.
"""

import functools
import json
import math

import open_clip
import pytest
import timm
import torch
from mmpretrain.models import ImageClassifier
from mmpretrain.structures import DataSample

from ltvl_mm.clip import families
from ltvl_mm.clip.export import export_clip
from ltvl_mm.clip.frozen_clip import FrozenCLIP
from ltvl_mm.clip.text_encoder import encode_classes, encode_tokens
from ltvl_mm.clip.tokenization import tokenize_classes
from ltvl_mm.clip.towers import build_clip, build_tokenizer, find_width
from ltvl_mm.models.backbones.clip_backbone import CLIPBackbone
from ltvl_mm.models.heads.clip_contrastive_head import CLIPContrastiveHead

NAMES = ('cat', 'snowy owl', 'a very long name of a dog')
VIT = dict(width=16, layers=1, head_width=8, image_size=32, patch_size=16)
SMALL_VIT = dict(embed_dim=16, depth=1, num_heads=2, img_size=32)
# Family: a model of it, its vision config, the arguments of its timm model.
FAMILIES = {
    'ViT': ('ViT-B-16', VIT, {}),
    'RN': ('RN50', dict(layers=[1, 1, 1, 1], width=8, image_size=32), {}),
    'EVA02': ('EVA02-B-16', dict(image_size=32), SMALL_VIT),
    'ConvNeXt': (
        'convnext_tiny',
        dict(image_size=64),
        dict(depths=(1, 1, 1, 1), dims=(8, 8, 16, 16)),
    ),
    'ViTamin': (
        'ViTamin-S',
        dict(image_size=32),
        dict(depth=1, img_size=32),
    ),
    'MobileCLIP': (
        'MobileCLIP-S1',
        dict(image_size=64),
        dict(layers=(1, 1, 1, 1), embed_dims=(16, 16, 32, 32)),
    ),
    'PE': (
        'PE-Core-T-16-384',
        dict(image_size=32),
        SMALL_VIT | dict(attn_pool_num_heads=2, ref_feat_shape=(2, 2)),
    ),
    'SigLIP': ('ViT-B-16-SigLIP', dict(image_size=32), SMALL_VIT),
    'SigLIP2': ('ViT-B-16-SigLIP2', dict(image_size=32), SMALL_VIT),
    'CLIPA': ('ViT-L-14-CLIPA', VIT, {}),
    'worldwide': ('ViT-H-14-worldwide', VIT, {}),
    'CoCa': ('coca_ViT-B-32', VIT | dict(attn_pooler_heads=2), {}),
    'XLM-R': ('xlm-roberta-base-ViT-B-32', VIT, {}),
}
cached_tokenizer = functools.cache(open_clip.get_tokenizer)
NARROW_TEXT = dict(width=16, heads=2, layers=1)


class WordTokenizer:
    """A local stand-in for the tokenizers of Hugging Face: one id a word.

    Like SigLIP's it pads with the end-of-text token if ``pad`` equals it.
    """

    def __init__(self, context_length, *, start=(), end, pad):
        self.context_length = context_length
        self.start, self.end, self.pad = list(start), end, pad

    def __call__(self, texts, context_length=None):
        length = context_length or self.context_length
        rows = []
        for text in texts:
            words = [10 + sum(map(ord, word)) % 80 for word in text.split()]
            row = [*self.start, *words][: length - 1]
            row.append(self.end)
            rows.append(row + [self.pad] * (length - len(row)))
        return torch.tensor(rows)


TOKENIZERS = {
    'SigLIP': dict(end=1, pad=1),
    'SigLIP2': dict(end=1, pad=0),
    'CLIPA': dict(start=[5], end=0, pad=0),
    'worldwide': dict(start=[0], end=2, pad=1),
    'XLM-R': dict(start=[0], end=2, pad=1),
}


@pytest.fixture(params=FAMILIES)
def family(request):
    return request.param


@pytest.fixture
def arch(family, tmp_path, monkeypatch):
    """Register a narrow architecture of the family; return its name."""
    base, vision, trunk = FAMILIES[family]
    config = open_clip.get_model_config(base)
    if family == 'XLM-R':
        config['text_cfg']['hf_model_name'] = _write_xlm_roberta(tmp_path)
    else:
        config['text_cfg'] |= NARROW_TEXT
    if family == 'CoCa':
        config['multimodal_cfg'] |= NARROW_TEXT | dict(attn_pooler_heads=2)
    config['vision_cfg'] |= vision
    config['embed_dim'] = 16
    if family in TOKENIZERS:
        config['text_cfg']['vocab_size'] = 100
        length = config['text_cfg'].get('context_length', 77)
        words = WordTokenizer(length, **TOKENIZERS[family])
        monkeypatch.setattr(open_clip, 'get_tokenizer', lambda _, **__: words)
        monkeypatch.setattr(families, 'find_spec', lambda _: True)
    else:
        monkeypatch.setattr(open_clip, 'get_tokenizer', cached_tokenizer)
    name = f'narrow-{family}'
    (tmp_path / f'{name}.json').write_text(json.dumps(config))
    open_clip.add_model_config(tmp_path / f'{name}.json')
    create = timm.create_model
    monkeypatch.setattr(
        timm,
        'create_model',
        lambda *args, **settings: create(*args, **{**settings, **trunk}),
    )
    torch.manual_seed(0)
    return name


def _write_xlm_roberta(folder):
    reason = 'needs transformers: requirements/huggingface.txt'
    transformers = pytest.importorskip('transformers', reason=reason)
    transformers.XLMRobertaConfig(
        vocab_size=100,
        hidden_size=16,
        num_hidden_layers=1,
        num_attention_heads=2,
        intermediate_size=16,
        max_position_embeddings=100,
    ).save_pretrained(folder / 'xlm-roberta')
    return str(folder / 'xlm-roberta')


@pytest.fixture
def theirs(arch, tmp_path):
    """The model as open_clip builds it, and a file of its weights."""
    model = open_clip.create_model(arch, pretrained_text=False).eval()
    with torch.no_grad():
        for parameter in model.parameters():  # no zeros that hide mistakes
            parameter += 0.05 * torch.randn_like(parameter)
    torch.save(model.state_dict(), tmp_path / 'weights.pt')
    return model


@pytest.fixture
def weights(theirs, tmp_path):
    return str(tmp_path / 'weights.pt')


def draw_images(arch):
    size = open_clip.get_model_config(arch)['vision_cfg']['image_size']
    return torch.randn(3, 3, size, size)


@torch.no_grad()
def test_features_are_those_of_open_clip(arch, theirs, weights):
    images = draw_images(arch)
    (ours,) = CLIPBackbone(arch, pretrained=weights).eval()(images)
    expected = theirs.encode_image(images, normalize=False)
    torch.testing.assert_close(ours, expected)
    assert ours.shape == (3, find_width(arch))

    text = build_clip(arch, weights).eval().text
    tokens = build_tokenizer(arch)([f'a photo of {name}' for name in NAMES])
    expected = theirs.encode_text(tokens, normalize=False)
    for chunk_size in (None, 2):
        found = encode_tokens(text, tokens, chunk_size=chunk_size)
        torch.testing.assert_close(found, expected)


@torch.no_grad()
def test_predictions_are_those_of_open_clip(arch, theirs, weights):
    images = draw_images(arch)
    head = CLIPContrastiveHead(
        arch, pretrained=weights, class_names=NAMES, templates=['a {}']
    ).eval()
    logits = head(CLIPBackbone(arch, pretrained=weights).eval()(images))
    tokens = build_tokenizer(arch)([f'a {name}' for name in NAMES])
    cosines = (
        theirs.encode_image(images, normalize=True)
        @ theirs.encode_text(tokens, normalize=True).t()
    )
    expected = theirs.logit_scale.exp() * cosines
    if theirs.logit_bias is not None:  # cancels in a softmax over classes
        expected = expected + theirs.logit_bias
    torch.testing.assert_close(logits.softmax(1), expected.softmax(1))


def test_a_trained_model_is_exported(arch, weights, tmp_path, monkeypatch):
    logs = []
    monkeypatch.setattr(
        'ltvl_mm.models.heads.clip_contrastive_head.print_log',
        lambda text, *_, **__: logs.append(text),
    )
    parts = dict(arch=arch, pretrained=weights)
    head = dict(class_names=NAMES)
    model = ImageClassifier(
        backbone=dict(type='ltvl_mm.CLIPBackbone', **parts),
        head=dict(type='ltvl_mm.CLIPContrastiveHead', **parts, **head),
    ).train()
    before = {name: p.clone() for name, p in model.named_parameters()}
    assert ('has a caption decoder' in ''.join(logs)) == ('CoCa' in arch)
    images = draw_images(arch)
    samples = [DataSample().set_gt_label(label) for label in range(3)]
    value = model.loss(images, samples)['loss']
    value.backward()
    trained = [p for p in model.parameters() if p.grad is not None]
    assert all(torch.isfinite(p.grad).all() for p in trained)
    torch.optim.SGD(trained, lr=0.1).step()
    moved = {n for n, p in model.named_parameters() if (p != before[n]).any()}
    for tower in ('backbone.visual.', 'head.text.'):
        assert any(name.startswith(tower) for name in moved)

    checkpoint, out = tmp_path / 'a.pth', tmp_path / 'out.pt'
    torch.save({'meta': {}, 'state_dict': model.state_dict()}, checkpoint)
    if 'CoCa' in arch:
        with pytest.raises(ValueError, match='has a caption decoder'):
            export_clip(arch, checkpoint, out)
        build_clip(arch, str(checkpoint))  # but phase B can start from it
        return
    export_clip(arch, checkpoint, out)
    again = open_clip.create_model(arch, pretrained=str(out)).eval()
    tokens = build_tokenizer(arch)(['a cat', 'two snowy owls'])
    model.eval()
    with torch.no_grad():
        torch.testing.assert_close(
            again.encode_image(images), model.backbone(images)[0]
        )
        torch.testing.assert_close(
            again.encode_text(tokens), model.head.text(tokens)
        )
    assert again.logit_scale == model.head.logit_scale
    assert again.logit_bias == model.head.logit_bias


def test_texts_that_are_too_long_are_refused(arch):
    tokenizer = build_tokenizer(arch)
    length = tokenizer.context_length
    special = int((tokenizer([''])[0] != tokenizer([''])[0, -1]).sum())
    if arch.endswith(('SigLIP', 'CLIPA')):  # the end is padding, too
        special += 1
    name = 'cat ' * (length - special)
    tokens = tokenize_classes([name], ['{}'], tokenizer)
    assert tokens.shape == (1, 1, length)
    message = rf'has {length + 1} tokens and the text tower reads {length}'
    with pytest.raises(ValueError, match=message):
        tokenize_classes([name + 'cat'], ['{}'], tokenizer)


@torch.no_grad()
def test_classes_with_fewer_prompts_are_finite(arch, weights):
    text = build_clip(arch, weights).eval().text
    tokens = tokenize_classes(
        ['cat', 'dog'], [['a cat'], ['a dog', 'dogs']], build_tokenizer(arch)
    )
    features = encode_classes(text, tokens)
    alone = encode_classes(text, tokens[:1, :1])
    torch.testing.assert_close(features[0], alone[0])


def test_retrieval_encodes_a_text_before_images(arch, weights, monkeypatch):
    assert FrozenCLIP(arch, weights).identity['arch'] == arch

    def fail(*_, **__):
        raise ModuleNotFoundError('no tokenizer')

    monkeypatch.setattr(open_clip, 'get_tokenizer', fail)
    with pytest.raises((ValueError, ModuleNotFoundError), match='no tokeniz'):
        FrozenCLIP(arch, weights)


@pytest.mark.parametrize('family', ['SigLIP'], indirect=True)
def test_the_scale_of_siglip_may_exceed_that_of_clip(arch):
    head = CLIPContrastiveHead(arch, class_names=NAMES).eval()
    with torch.no_grad():
        head.logit_scale.fill_(math.log(117.0))
    logits = head((head.prototypes(),))
    torch.testing.assert_close(logits.diag(), torch.full((3,), 117.0))
    assert not head.logit_bias.requires_grad

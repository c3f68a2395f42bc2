import json

import open_clip
import pytest
import torch
from mmengine.registry import MODELS
from mmpretrain.datasets.categories import IMAGENET_SIMPLE_CATEGORIES
from torch import nn

from ltvl_mm.clip import towers
from ltvl_mm.clip.templates import TEMPLATES, find_templates
from ltvl_mm.clip.towers import build_clip, build_tokenizer, identify_clip

ARCH = 'ltvl-test-quickgelu'


@pytest.fixture(scope='module', autouse=True)
def tiny_arch(tmp_path_factory):
    """A ViT of OpenAI's kind, small enough to save in many ways."""
    file = tmp_path_factory.mktemp('archs') / f'{ARCH}.json'
    tower = {'width': 16, 'layers': 1}
    config = {
        'embed_dim': 8,
        'quick_gelu': True,
        'vision_cfg': {
            **tower,
            'image_size': 16,
            'patch_size': 8,
            'head_width': 8,
        },
        'text_cfg': {
            **tower,
            'context_length': 8,
            'vocab_size': 49408,
            'heads': 2,
        },
    }
    file.write_text(json.dumps(config))
    open_clip.add_model_config(file)


@pytest.fixture(scope='module')
def plain():
    """The model as open_clip builds it for the weights that it publishes."""
    torch.manual_seed(0)
    return open_clip.create_model(ARCH)


def save_plain(plain, path):
    torch.save(plain.state_dict(), path)


def save_custom_text(plain, path):
    state = towers.convert_to_custom_text_state_dict(plain.state_dict())
    assert set(state) != set(plain.state_dict())
    torch.save({'state_dict': state, 'epoch': 3}, path)


def save_our_checkpoint(plain, path):
    """Save as mmengine does a classifier with our backbone and head."""
    save_plain(plain, path)
    parts = dict(arch=ARCH, pretrained=str(path))
    model = MODELS.build(
        dict(
            type='mmpretrain.ImageClassifier',
            backbone=dict(type='ltvl_mm.CLIPBackbone', **parts),
            head=dict(type='ltvl_mm.CLIPContrastiveHead', **parts),
        )
    )
    torch.save({'meta': {}, 'state_dict': model.state_dict()}, path)


class Root(nn.Module):
    """The top of a tree of parameters."""

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        return images


def save_jit(plain, path):
    """Save as OpenAI did: TorchScript, half precision, with three numbers."""
    root = Root()
    state = {
        name: tensor.half() for name, tensor in plain.state_dict().items()
    }
    for name in ('input_resolution', 'context_length', 'vocab_size'):
        state[name] = torch.tensor(8)
    for name, tensor in state.items():
        *path_of_node, leaf = name.split('.')
        node = root
        for step in path_of_node:
            if not hasattr(node, step):
                node.add_module(step, nn.Module())
            node = getattr(node, step)
        node.register_buffer(leaf, tensor)
    torch.jit.script(root).save(str(path))


@pytest.mark.smoke
@pytest.mark.parametrize(
    'save', [save_plain, save_custom_text, save_our_checkpoint]
)
def test_weights_load_from_any_kind_of_file(save, plain, tmp_path):
    save(plain, tmp_path / 'weights.pt')
    model = build_clip(ARCH, str(tmp_path / 'weights.pt')).eval()
    _compare(model, plain.eval(), atol=1e-6)


def test_weights_load_from_an_archive_of_openai(plain, tmp_path):
    save_jit(plain, tmp_path / 'ViT.pt')
    model = build_clip(ARCH, str(tmp_path / 'ViT.pt')).eval()
    assert {weight.dtype for weight in model.parameters()} == {torch.float32}
    _compare(model, plain.eval(), atol=1e-2)  # half precision


def _compare(model, plain, *, atol):
    """Both must map the same image and text to the same features."""
    image = torch.randn(2, 3, 16, 16)
    tokens = build_tokenizer(ARCH)(['a cat', 'two dogs'])
    with torch.no_grad():
        for ours, theirs in (
            (model.visual(image), plain.encode_image(image)),
            (model.text(tokens), plain.encode_text(tokens)),
            (model.logit_scale, plain.logit_scale),
        ):
            torch.testing.assert_close(ours, theirs, atol=atol, rtol=atol)


def test_the_identity_is_of_the_numbers_and_not_of_the_file(plain, tmp_path):
    identities = []
    for save in (save_plain, save_custom_text, save_our_checkpoint):
        save(plain, tmp_path / 'weights.pt')
        model = build_clip(ARCH, str(tmp_path / 'weights.pt'))
        identities.append(identify_clip(ARCH, model, 'squash'))
    assert identities[0] == identities[1] == identities[2]
    assert identities[0]['arch'] == ARCH
    assert identities[0]['preprocessing'] == 'squash'
    with torch.no_grad():
        model.logit_scale += 1e-6
    changed = identify_clip(ARCH, model, 'squash')
    assert changed['weights_sha256'] != identities[0]['weights_sha256']


def test_an_unknown_architecture_is_an_error_that_suggests_one():
    for build in (build_clip, build_tokenizer):
        with pytest.raises(
            ValueError, match=r"'ViT-B16'; .* mean ViT-B-16 or"
        ):
            build('ViT-B16')
    with pytest.raises(ValueError, match=r'one of open_clip\.list_models'):
        build_clip('?')


def test_an_unknown_tag_is_an_error_that_lists_the_known():
    with pytest.raises(
        ValueError, match=r"'opnai' is neither .* openai, yfcc"
    ):
        build_clip('RN50', 'opnai')
    with pytest.raises(ValueError, match='its tags: none'):
        build_clip('ViT-M-16', 'no-such-tag')
    with pytest.raises(ValueError, match='its tags: ltvl-toy'):
        build_clip('ltvl-toy', 'no-such-tag')


def test_a_missing_checkpoint_is_an_error_that_names_the_phase_before():
    with pytest.raises(
        ValueError, match=r'no checkpoint a/epoch_5\.pth; .* phase A .* first'
    ):
        build_clip('ltvl-toy', 'a/epoch_5.pth')


@pytest.mark.parametrize(
    ('kept', 'missing'),
    [('backbone.', 'head.text'), ('head.', 'backbone.visual')],
)
def test_a_checkpoint_without_a_tower_is_an_error_that_names_it(
    kept, missing, plain, tmp_path
):
    save_our_checkpoint(plain, tmp_path / 'whole.pth')
    state = torch.load(tmp_path / 'whole.pth')['state_dict']
    state = {name: state[name] for name in state if name.startswith(kept)}
    torch.save({'state_dict': state}, tmp_path / 'part.pth')
    with pytest.raises(ValueError, match=rf'part\.pth holds no {missing}: '):
        build_clip(ARCH, str(tmp_path / 'part.pth'))


def test_quickgelu_weights_in_a_gelu_model_are_an_error(plain, tmp_path):
    with pytest.raises(
        ValueError, match=r"QuickGELU .* arch='RN50-quickgelu'"
    ):
        build_clip('RN50', 'openai')
    save_jit(plain, tmp_path / 'ViT.pt')
    message = r"ViT\.pt was trained with QuickGELU .* arch='ltvl-toy-quickgelu"
    with pytest.raises(ValueError, match=message):
        build_clip('ltvl-toy', str(tmp_path / 'ViT.pt'))


def test_gelu_weights_in_a_quickgelu_model_are_an_error(monkeypatch):
    # No published tag is of this kind, but one may come.
    monkeypatch.setattr(
        open_clip, 'get_pretrained_cfg', lambda arch, tag: {'url': '-'}
    )
    with pytest.raises(ValueError, match=r"with GELU but .* use arch='RN50'"):
        build_clip('RN50-quickgelu', 'openai')


def test_a_failing_download_says_what_to_do(monkeypatch):
    def fail(*_, **__):
        raise RuntimeError('no route to host')

    monkeypatch.setattr(open_clip, 'create_model', fail)
    message = 'give the file as pretrained=. .no route to host'
    with pytest.raises(ValueError, match=message):
        build_clip('RN50-quickgelu', 'openai')


def test_weights_of_another_architecture_are_an_error(plain, tmp_path):
    save_plain(plain, tmp_path / 'other.pt')
    message = r'other\.pt does not fit the architecture ltvl-toy'
    with pytest.raises(ValueError, match=message) as error:
        build_clip('ltvl-toy', str(tmp_path / 'other.pt'))
    assert len(str(error.value)) < 1300  # not a line for each of its weights


@pytest.mark.parametrize('content', [b'', b'<html>404</html>', b'PK\3\4'])
def test_a_broken_file_is_an_error(content, tmp_path):
    (tmp_path / 'broken.pt').write_bytes(content)
    with pytest.raises(ValueError, match=r'broken\.pt holds no weights'):
        build_clip('ltvl-toy', str(tmp_path / 'broken.pt'))


def test_the_names_of_imagenet_are_those_of_the_host():
    assert tuple(IMAGENET_SIMPLE_CATEGORIES) == towers.IMAGENET_NAMES


def test_templates_come_by_name_from_a_file_or_as_given(tmp_path):
    assert find_templates('single') == ('a photo of a {}.',)
    assert len(find_templates('openai_80')) == 80
    assert all(text.count('{}') == 1 for text in TEMPLATES['openai_80'])
    (tmp_path / 'mine.txt').write_text('my {}\nno {}\n')
    assert find_templates(str(tmp_path / 'mine.txt')) == ('my {}', 'no {}')
    assert find_templates(['a {}']) == ('a {}',)
    with pytest.raises(ValueError, match="openai_80; got 'openai_81'"):
        find_templates('openai_81')

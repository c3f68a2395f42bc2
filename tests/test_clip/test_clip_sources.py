"""CLIP models from a config file, a folder and the hub."""

import gzip
import json
import os

import open_clip
import pytest
import torch
from open_clip.push_to_hf_hub import save_config_for_hf
from PIL import Image
from safetensors.torch import save_file

from ltvl_mm.clip import families, sources
from ltvl_mm.clip.frozen_clip import FrozenCLIP
from ltvl_mm.clip.preprocessing import find_preprocessing
from ltvl_mm.clip.sources import find_default_weights, name_arch
from ltvl_mm.clip.towers import (
    build_clip,
    build_tokenizer,
    find_arch,
    find_width,
    identify_clip,
)

TINY = dict(
    embed_dim=16,
    vision_cfg=dict(
        image_size=32, layers=1, width=32, head_width=16, patch_size=16
    ),
    text_cfg=dict(
        context_length=12, vocab_size=49408, width=16, heads=2, layers=1
    ),
)
HALF = (0.5, 0.5, 0.5)


@pytest.fixture
def config_file(tmp_path):
    path = tmp_path / 'tiny-of-mine.json'
    path.write_text(json.dumps(TINY))
    return path


@pytest.fixture(scope='module')
def folder(tmp_path_factory):
    """A model as open_clip pushes it to the hub, with means of its own."""
    path = tmp_path_factory.mktemp('hub') / 'my-clip'
    path.mkdir()
    source = path.parent / 'tiny-in-hub.json'
    source.write_text(json.dumps(TINY))
    open_clip.add_model_config(source)
    torch.manual_seed(0)
    model = open_clip.create_model(
        'tiny-in-hub', force_preprocess_cfg={'mean': HALF, 'std': HALF}
    )
    save_config_for_hf(model, path / 'open_clip_config.json', TINY)
    save_file(model.state_dict(), path / 'open_clip_model.safetensors')
    return path


def test_a_config_file_is_an_architecture(config_file):
    arch = str(config_file)
    assert find_arch(arch) == TINY
    assert find_width(arch) == 16
    assert build_tokenizer(arch)(['a cat']).shape == (1, 12)
    model = build_clip(arch)
    assert model.encode_image(torch.zeros(1, 3, 32, 32)).shape == (1, 16)
    assert find_preprocessing(arch, None).size == 32
    # The same file again, from elsewhere, is the same architecture.
    assert identify_clip(arch, model, '-')['arch'] == 'tiny-of-mine'
    other = config_file.parent / 'copy' / config_file.name
    other.parent.mkdir()
    other.write_text(json.dumps(TINY))
    assert find_arch(str(other)) == TINY


def test_a_file_with_the_name_of_another_model_is_refused(config_file):
    find_arch(str(config_file))
    config_file.write_text(json.dumps(TINY | {'embed_dim': 8}))
    with pytest.raises(ValueError, match='differs from the architecture'):
        find_arch(str(config_file))
    known = config_file.parent / 'ViT-B-16.json'
    known.write_text(json.dumps(TINY))
    with pytest.raises(ValueError, match="'ViT-B-16' that is known"):
        build_clip(str(known))


@pytest.mark.parametrize(
    ('content', 'message'),
    [
        (
            '{"embed_dim": 8}',
            'not a model config of open_clip: .* "vision_cfg"',
        ),
        ('[]', 'not a model config of open_clip: it has no "embed_dim"'),
        (
            '{"embed_dim": 8, "vision_cfg": 3, "text_cfg": {}}',
            'vision_cfg must be an object, got 3',
        ),
        ('{', 'odd.json'),
        (
            '{"embed_dim": 8, "vision_cfg": {}, "text_cfg": '
            '{"tokenizer_kwargs": 3}}',
            'tokenizer_kwargs must be an object, got 3',
        ),
    ],
)
def test_odd_config_files_are_named(tmp_path, content, message):
    path = tmp_path / 'odd.json'
    path.write_text(content)
    with pytest.raises(ValueError, match=message):
        build_clip(str(path))


def test_missing_files_are_named(tmp_path):
    with pytest.raises(ValueError, match=r'there is no model config .*x\.js'):
        build_clip(str(tmp_path / 'x.json'))
    with pytest.raises(ValueError, match=r'there is no .*open_clip_config'):
        build_clip(f'local-dir:{tmp_path}')
    with pytest.raises(ValueError, match=r"give its config FILE.json, 'local"):
        build_clip('my-clip')


def test_a_folder_has_weights_and_preprocessing(folder):
    arch = f'local-dir:{folder}'
    theirs, _, transform = open_clip.create_model_and_transforms(arch)
    clip = FrozenCLIP(arch)
    image = Image.new('RGB', (40, 50), (200, 100, 50))
    pixels = clip.preprocess(image)
    torch.testing.assert_close(
        clip.encode_images(pixels[None]),
        theirs.eval().encode_image(transform(image)[None]),
    )
    assert clip.identity['arch'] == 'local-dir:my-clip'
    assert str(HALF[0]) in clip.identity['preprocessing']


def test_other_weights_of_a_folder_can_be_given(folder, tmp_path):
    arch = f'local-dir:{folder}'
    state = build_clip(arch).state_dict()
    state['logit_scale'] = torch.tensor(1.5)
    torch.save(state, tmp_path / 'tuned.pt')
    tuned = build_clip(arch, str(tmp_path / 'tuned.pt'))
    assert tuned.logit_scale.item() == 1.5
    assert find_preprocessing(arch, str(tmp_path / 'tuned.pt')).mean == HALF


def test_weights_of_a_folder_are_read_as_data(folder, tmp_path, monkeypatch):
    """A pickle in place of the weights is refused and not run."""
    other = tmp_path / 'evil'
    other.mkdir()
    text = (folder / 'open_clip_config.json').read_text()
    (other / 'open_clip_config.json').write_text(text)
    marker = tmp_path / 'ran'

    class Evil:
        def __reduce__(self):
            return marker.touch, ()

    torch.save({'a': Evil()}, other / 'open_clip_pytorch_model.bin')
    with pytest.raises(ValueError, match='open_clip_pytorch_model'):
        build_clip(f'local-dir:{other}')
    assert not marker.exists()


def test_a_folder_without_weights_is_named(folder, tmp_path):
    text = (folder / 'open_clip_config.json').read_text()
    (tmp_path / 'open_clip_config.json').write_text(text)
    with pytest.raises(ValueError, match='holds no weights; expected one of'):
        build_clip(f'local-dir:{tmp_path}')


def test_the_hub_gives_config_and_weights(folder, monkeypatch):
    def download(name, filename='open_clip_model.safetensors', **_):
        assert name == 'someone/my-clip'
        return str(folder / filename)

    monkeypatch.setattr(sources, 'download_pretrained_from_hf', download)
    monkeypatch.setattr(
        open_clip.factory, 'download_pretrained_from_hf', download
    )
    ours = build_clip('hf-hub:someone/my-clip')
    theirs = build_clip(f'local-dir:{folder}')
    for name, tensor in theirs.state_dict().items():
        assert torch.equal(tensor, ours.state_dict()[name])
    assert name_arch('hf-hub:someone/my-clip') == 'hf-hub:someone/my-clip'


def test_an_unreachable_hub_has_a_remedy(monkeypatch):
    def download(*_, **__):
        raise OSError('no\nroute')

    monkeypatch.setattr(sources, 'download_pretrained_from_hf', download)
    with pytest.raises(
        ValueError, match=r'hf download a/b --local-dir .*\(OSError: no route'
    ):
        build_clip('hf-hub:a/b')


def test_raises_without_weights(config_file):
    assert find_default_weights('ViT-B-16-quickgelu') == 'openai'
    with pytest.raises(
        ValueError, match=r'published no weights of ViT-B-16-S'
    ):
        find_default_weights('ViT-B-16-SigLIP')
    with pytest.raises(ValueError, match=r'a file, or a tag .ltvl-toy.$'):
        find_default_weights('ltvl-toy')
    with pytest.raises(ValueError, match=r'file, or a tag .it has none.'):
        FrozenCLIP(str(config_file))


def with_tokenizer(**options):
    return TINY | {'text_cfg': TINY['text_cfg'] | options}


@pytest.mark.parametrize('place', ['file', 'folder'])
def test_a_config_cannot_have_the_code_of_a_tokenizer_run(place, tmp_path):
    """transformers would import tokenization_evil.py of the folder."""
    marker = tmp_path / 'code_ran'
    (tmp_path / 'tokenization_evil.py').write_text(
        f'open({str(marker)!r},"w")'
    )
    (tmp_path / 'tokenizer_config.json').write_text(
        '{"auto_map": {"AutoTokenizer": ["tokenization_evil.Evil", null]}}'
    )
    config = with_tokenizer(
        hf_tokenizer_name=str(tmp_path),
        tokenizer_kwargs={'trust_remote_code': True},
    )
    arch = tmp_path / 'evil.json'
    if place == 'folder':
        arch = tmp_path / 'open_clip_config.json'
        config = {'model_cfg': config}
    arch.write_text(json.dumps(config))
    name = str(arch) if place == 'file' else f'local-dir:{tmp_path}'
    for read in (build_clip, build_tokenizer, find_arch):
        with pytest.raises(
            ValueError, match=r"has 'trust_remote_code'; .* is never run"
        ):
            read(name)
    assert not marker.exists()


def test_code_of_tokenizers_is_refused_of_any_config(monkeypatch):
    given = {}
    monkeypatch.setattr(families, 'find_spec', lambda _: True)
    monkeypatch.setattr(
        open_clip, 'get_tokenizer', lambda _, **options: given.update(options)
    )
    build_tokenizer('ViT-B-16-SigLIP')
    assert given == {'trust_remote_code': False}


def test_odd_vocabularies_are_refused(tmp_path, monkeypatch):
    def build(path):
        config = with_tokenizer(tokenizer_kwargs={'bpe_path': str(path)})
        file = tmp_path / f'with-{path.name}.json'
        file.write_text(json.dumps(config))
        return build_tokenizer(str(file))

    os.mkfifo(tmp_path / 'pipe')
    with pytest.raises(ValueError, match='pipe is a named pipe'):
        build(tmp_path / 'pipe')
    with pytest.raises(ValueError, match='missing'):
        build(tmp_path / 'missing')
    (tmp_path / 'text').write_text('a b')
    with pytest.raises(ValueError, match=r'text.*[Nn]ot a gzipped file'):
        build(tmp_path / 'text')
    monkeypatch.setattr(sources, '_MAX_MERGES_BYTES', 1 << 20)
    (tmp_path / 'bomb').write_bytes(gzip.compress(bytes(2 << 20)))
    with pytest.raises(ValueError, match=r'bomb.* more than 1 MiB'):
        build(tmp_path / 'bomb')

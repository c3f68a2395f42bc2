"""The recipe of the emoji world's CLIP, for a few steps."""

from pathlib import Path

import numpy as np
import pytest
import torch
from mmengine.config import Config
from mmengine.dataset import default_collate
from mmengine.registry import DATASETS, MODELS, OPTIM_WRAPPERS, DefaultScope
from open_clip.constants import OPENAI_DATASET_MEAN, OPENAI_DATASET_STD
from toy_clip import write_toy_classifier

from ltvl_mm.clip.export import export_clip
from ltvl_mm.clip.towers import build_clip, build_tokenizer
from ltvl_mm.clip.weight_files import find_shipped_weights
from ltvl_mm.datasets.emoji_concepts import CLASS_GLYPHS, CLASS_NAMES
from ltvl_mm.datasets.emoji_world_spec import draw_split_image

CONFIGS = Path(__file__).parents[2] / 'configs/toy'


@pytest.fixture(autouse=True)
def scope():
    with DefaultScope.overwrite_default_scope('mmpretrain'):
        yield


@pytest.mark.parametrize('name', ['clip', 'clip_vit'])
def test_some_steps_of_the_recipe_lower_the_loss(name, tmp_path):
    cfg = Config.fromfile(CONFIGS / f'clip/{name}.py')
    dataset = DATASETS.build(
        dict(
            cfg.train_dataloader.dataset,
            length=16,
            cache=str(tmp_path / 'corpus'),
            workers=1,
        )
    )
    torch.manual_seed(0)
    batch = default_collate([dataset[index] for index in range(16)])
    model = MODELS.build(cfg.model)
    optimizer = torch.optim.AdamW(model.parameters(), lr=2e-3, fused=True)
    wrapper = OPTIM_WRAPPERS.build(
        dict(type=cfg.optim_wrapper.type, optimizer=optimizer)
    )
    losses = [
        model.train_step(batch, wrapper)['loss'].item() for _ in range(8)
    ]
    assert sum(losses[-3:]) < 0.8 * sum(losses[:3])


def test_the_towers_fit_into_the_package(tmp_path):
    checkpoint = write_toy_classifier(tmp_path / 'a.pth', arch='ltvl-toy')
    file = tmp_path / 'emoji.safetensors'
    ours = export_clip('ltvl-toy', checkpoint, file, half=True)
    assert file.stat().st_size < 13e6
    theirs = build_clip('ltvl-toy', str(file))
    for name, weight in ours.state_dict().items():
        assert torch.equal(theirs.state_dict()[name], weight)


def test_the_small_vocabulary_reads_every_name_as_clip_does():
    small, whole = build_tokenizer('ltvl-toy'), build_tokenizer('RN50')
    names = [*CLASS_NAMES]
    names += [g.name for glyphs in CLASS_GLYPHS.values() for g in glyphs]
    for name in names:
        pieces = [small.decode([t]) for t in small.encode(name)]
        assert pieces == [whole.decode([t]) for t in whole.encode(name)]
    # The longest caption fits.
    assert max(len(small.encode(n)) for n in names) <= small.context_length - 8
    assert small.encode('zyzzyva quokka')  # other words in more pieces


# Of the test images, 79 and 58 % are right; the bounds are four standard
# deviations of 96 images below.
@pytest.mark.parametrize(
    ('arch', 'least'), [('ltvl-toy', 0.62), ('ltvl-toy-vit', 0.37)]
)
def test_the_shipped_clip_knows_the_classes(arch, least):
    model = build_clip(arch, arch).eval()
    images = np.stack(
        [draw_split_image('val', label, 0, 0) for label in range(96)]
    )
    mean, std = np.array(OPENAI_DATASET_MEAN), np.array(OPENAI_DATASET_STD)
    pixels = torch.from_numpy((images / 255 - mean) / std).float()
    prompts = [f'a photo of a {name}.' for name in CLASS_NAMES]
    with torch.no_grad():
        features = model.encode_image(
            pixels.permute(0, 3, 1, 2), normalize=True
        )
        tokens = build_tokenizer(arch)(prompts)
        texts = model.encode_text(tokens, normalize=True)
    predicted = (features @ texts.t()).argmax(1)
    assert (predicted == torch.arange(96)).float().mean() > least


def test_the_shipped_weights_are_small():
    sizes = [
        Path(find_shipped_weights(arch, arch)).stat().st_size
        for arch in ('ltvl-toy', 'ltvl-toy-vit')
    ]
    assert sizes[0] < 7e6
    assert sizes[1] < 3e6

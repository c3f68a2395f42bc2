"""The recipe of the emoji world's CLIP, for a few steps."""

from pathlib import Path

import pytest
import torch
from mmengine.config import Config
from mmengine.dataset import default_collate
from mmengine.registry import DATASETS, MODELS, OPTIM_WRAPPERS, DefaultScope
from toy_clip import write_toy_classifier

from ltvl_mm.datasets.emoji_concepts import CLASS_GLYPHS, CLASS_NAMES
from ltvl_mm.models.clip import build_clip, build_tokenizer
from ltvl_mm.models.clip_export import export_clip

CONFIGS = Path(__file__).parents[2] / 'configs/emoji'


@pytest.fixture(autouse=True)
def scope():
    with DefaultScope.overwrite_default_scope('mmpretrain'):
        yield


def test_some_steps_of_the_recipe_lower_the_loss(tmp_path):
    cfg = Config.fromfile(CONFIGS / 'clip.py')
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
    checkpoint = write_toy_classifier(tmp_path / 'a.pth', arch='ltvl-emoji')
    file = tmp_path / 'emoji.safetensors'
    ours = export_clip('ltvl-emoji', checkpoint, file, half=True)
    assert file.stat().st_size < 13e6
    theirs = build_clip('ltvl-emoji', str(file))
    for name, weight in ours.state_dict().items():
        assert torch.equal(theirs.state_dict()[name], weight)


def test_the_small_vocabulary_reads_every_name_as_clip_does():
    small, whole = build_tokenizer('ltvl-emoji'), build_tokenizer('ltvl-toy')
    names = [*CLASS_NAMES]
    names += [g.name for glyphs in CLASS_GLYPHS.values() for g in glyphs]
    for name in names:
        pieces = [small.decode([t]) for t in small.encode(name)]
        assert pieces == [whole.decode([t]) for t in whole.encode(name)]
    # The longest caption fits.
    assert max(len(small.encode(n)) for n in names) <= small.context_length - 8
    assert small.encode('zyzzyva quokka')  # other words in more pieces

"""Warnings of the retrieval check on the embedded world, with two CLIPs."""

import pytest
import torch

from ltvl_mm.apis.image_embedding import embed
from ltvl_mm.apis.image_retrieval import retrieve
from ltvl_mm.apis.retrieval_check import check_retrieval
from ltvl_mm.apis.retrieval_settings import RetrievalSettings
from ltvl_mm.clip.towers import build_clip
from ltvl_mm.datasets.emoji_world_files import write_emoji_world
from ltvl_mm.datasets.emoji_world_spec import EmojiWorldSize

ARCH = 'ltvl-toy'


@pytest.fixture(scope='module')
def world(tmp_path_factory):
    """A world of a few classes, with enough images of each to judge."""
    folder = tmp_path_factory.mktemp('world')
    size = EmojiWorldSize(
        classes=12, train_most=30, val_per_class=6, test_per_class=1, web=480
    )
    write_emoji_world(folder, size)
    return folder


def check(world, folder, pretrained):
    clip = dict(arch=ARCH, pretrained=pretrained)
    embed(world / 'web', folder / 'web', workers=0, **clip)
    embed(world / 'val.txt', folder / 'val', workers=0, **clip)
    retrieve(
        folder / 'web',
        folder / 'retrieved',
        RetrievalSettings(
            class_names=world / 'class_names.txt',
            templates='single',
            budget=12,
            exclude=None,
            background='none',
            **clip,
        ),
    )
    return check_retrieval(
        folder / 'retrieved',
        [folder / 'web'],
        val_store=folder / 'val',
        val_list=world / 'val.txt',
        class_counts=world / 'train.txt',
    )


def test_a_clip_that_knows_the_classes_gives_no_warning(world, tmp_path):
    result = check(world, tmp_path, ARCH)
    assert result['zero_shot']['all'] > 80
    assert result['warnings'] == []


def test_a_clip_that_does_not_know_them_is_warned_of(world, tmp_path):
    torch.manual_seed(0)
    torch.save(build_clip(ARCH, None).state_dict(), tmp_path / 'random.pt')
    result = check(world, tmp_path, str(tmp_path / 'random.pt'))
    kinds = {warning['kind'] for warning in result['warnings']}
    assert 'zero_shot' in kinds
    assert 'precision' in kinds

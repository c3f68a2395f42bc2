"""Captioned images: index of tars and folders, data set, one training."""

import io
import json
import shutil

import numpy as np
import pytest
from mmengine.config import Config
from mmengine.runner import Runner
from PIL import Image

import ltvl_mm  # noqa: F401, registers the parts
from ltvl_mm.apis.captions import index_captions
from ltvl_mm.datasets import CaptionedImages, captioned_images
from ltvl_mm.retrieval.reading.tar_format import write_tar
from ltvl_mm.structures.caption_index import load_caption_index

PIPELINE = [dict(type='ltvl_mm.LoadImage')]


def make_image(shade):
    data = io.BytesIO()
    Image.new('RGB', (32, 32), (shade, 0, 255 - shade)).save(data, 'PNG')
    return data.getvalue()


def write_shard(path, first, count):
    """Write a tar of ``count`` images; the third has no caption."""
    members = []
    for number in range(first, first + count):
        members.append((f'{number:03d}.png', make_image(number)))
        if number - first != 2:
            members.append((f'{number:03d}.txt', f'picture {number}'.encode()))
    with path.open('wb') as file:
        write_tar(file, members)


@pytest.fixture
def tars(tmp_path):
    folder = tmp_path / 'tars'
    folder.mkdir()
    for number in range(3):
        write_shard(folder / f'{number:05d}.tar', 10 * number, 5)
    return folder


def test_images_and_captions_are_those_of_the_tars(tars, tmp_path):
    parts = index_captions(tars, tmp_path / 'index', workers=0)
    assert [part.images for part in parts] == [4, 4, 4]
    assert [part.without_caption for part in parts] == [1, 1, 1]
    data = CaptionedImages(str(tmp_path / 'index'), pipeline=PIPELINE)
    assert len(data) == 12
    for idx, number in enumerate([0, 1, 3, 4, 10, 11, 13, 14, 20, 21, 23, 24]):
        sample = data[idx]
        assert sample['caption'] == f'picture {number}'
        assert sample['img'][0, 0].tolist() == [255 - number, 0, number]
    assert [data.get_subset([5, 0])[i]['caption'] for i in range(2)] == [
        'picture 11',
        'picture 0',
    ]


def test_only_new_and_changed_shards_are_read_again(tars, tmp_path):
    out = tmp_path / 'index'
    index_captions(tars, out, workers=0)
    rows = out / 'shards' / '00001.parquet'
    before = {file: file.stat().st_mtime_ns for file in rows.parent.iterdir()}
    write_shard(tars / '00001.tar', 10, 4)
    write_shard(tars / '00003.tar', 30, 3)
    index_captions(tars, out, workers=0)
    changed = {
        file.name
        for file in rows.parent.iterdir()
        if before.get(file) != file.stat().st_mtime_ns
    }
    assert changed == {
        f'{name}.{end}'
        for name in ('00001', '00003')
        for end in ('json', 'parquet')
    }
    assert len(load_caption_index(out)) == 4 + 3 + 4 + 2


def test_several_processes_give_the_same_index(tars, tmp_path):
    index_captions(tars, tmp_path / 'one', workers=0)
    index_captions(tars, tmp_path / 'two', workers=2)
    for file in sorted((tmp_path / 'one').rglob('*.*')):
        if file.is_file() and file.name != '.lock':
            other = tmp_path / 'two' / file.relative_to(tmp_path / 'one')
            assert other.read_bytes() == file.read_bytes()


def test_folders_with_captions_beside_the_images(tmp_path):
    folder = tmp_path / 'files'
    folder.mkdir()
    for number in range(3):
        (folder / f'{number}.png').write_bytes(make_image(number))
        (folder / f'{number}.txt').write_text(f'picture {number}')
    index_captions(folder, tmp_path / 'index', workers=0)
    data = CaptionedImages(str(tmp_path / 'index'), pipeline=PIPELINE)
    assert [data[i]['caption'] for i in range(3)] == [
        'picture 0',
        'picture 1',
        'picture 2',
    ]


def test_an_image_that_cannot_be_loaded_is_replaced(
    tars, tmp_path, monkeypatch
):
    reports = []
    monkeypatch.setattr(
        captioned_images,
        'print_log',
        lambda text, *_, **__: reports.append(text),
    )
    index_captions(tars, tmp_path / 'index', workers=0)
    data = CaptionedImages(str(tmp_path / 'index'), pipeline=PIPELINE)
    broken = data.get_data_info(1)
    start, size = broken['byte_range']
    content = bytearray((tars / '00000.tar').read_bytes())
    content[start : start + size] = bytes(size)
    (tars / '00000.tar').write_bytes(content)
    assert data[1]['caption'] == 'picture 3'
    assert data[0]['caption'] == 'picture 0'
    assert data[1]['caption'] == 'picture 3'
    assert len(reports) == 1
    assert "captioned image '00000/001'" in reports[0]
    shutil.rmtree(tars)
    with pytest.raises(RuntimeError, match='index them again'):
        data[4]


def test_unusable_inputs_are_named(tars, tmp_path):
    with pytest.raises(ValueError, match=r'there is no .*index.json; make it'):
        CaptionedImages(str(tmp_path / 'index'))
    folder = tmp_path / 'files'
    folder.mkdir()
    (folder / 'a.png').write_bytes(make_image(1))
    with pytest.raises(ValueError, match=r'none of the 1 images .*a\.txt'):
        index_captions(folder, tmp_path / 'other', workers=0)
    assert not (tmp_path / 'other/index.json').exists()
    index_captions(tars, tmp_path / 'index', workers=0)
    (tmp_path / 'index/index.json').write_text(json.dumps({'format': 'x'}))
    with pytest.raises(
        ValueError, match='not a caption index of this version'
    ):
        CaptionedImages(str(tmp_path / 'index'))


def test_a_clip_trains_on_them(tars, tmp_path):
    """The recipe of configs/clip, on the toy architecture."""
    index_captions(tars, tmp_path / 'index', workers=0)
    cfg = Config.fromfile('configs/clip/clip_vit-b32_8xb256-10e_captions.py')
    cfg.merge_from_dict(
        {
            'work_dir': str(tmp_path / 'run'),
            'model.backbone': dict(
                arch='ltvl-toy', pretrained=None, freeze_bn=False
            ),
            'model.head': dict(arch='ltvl-toy', pretrained=None),
            'train_dataloader': dict(
                batch_size=4, num_workers=0, sampler=dict(epoch_size=8)
            ),
            'train_dataloader.dataset.index': str(tmp_path / 'index'),
            'train_cfg.max_epochs': 1,
        }
    )
    cfg.train_dataloader.dataset.pipeline[1].scale = 32
    cfg.env_cfg.dist_cfg.backend = 'gloo'
    runner = Runner.from_cfg(cfg)
    before = runner.model.backbone.visual.conv1.weight.detach().clone()
    runner.train()
    change = runner.model.backbone.visual.conv1.weight.detach() - before
    assert np.isfinite(change.abs().max().item())
    assert change.abs().max() > 0
    assert (tmp_path / 'run/epoch_1.pth').exists()

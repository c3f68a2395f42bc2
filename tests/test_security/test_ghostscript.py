"""EPS files start no program, by whatever way they come in."""

import io
import json
import shutil
import tarfile

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import torch
from mmengine.runner import Runner
from odd_inputs.images import EPS
from PIL import Image
from small_inputs import ROOT
from tools_in_process import fresh_modules

from ltvl_mm.apis.image_loading import list_inputs, load_image
from ltvl_mm.retrieval.reading import shards
from ltvl_mm.retrieval.reading.shard_embedding import embed_shards
from ltvl_mm.retrieval.reading.shards import find_shards
from ltvl_mm.utils.compat import disable_ghostscript

ENCODER = {'arch': 'a', 'weights': 'w', 'preprocess': 'p'}


def _draw():
    file = io.BytesIO()
    Image.new('RGB', (8, 8), 'red').save(file, 'PNG')
    return file.getvalue()


def _write_tar(folder, name):
    with tarfile.open(folder / 'web.tar', 'w') as tar:
        for key, data in (('good.png', _draw()), (name, EPS)):
            member = tarfile.TarInfo(key)
            member.size = len(data)
            tar.addfile(member, io.BytesIO(data))
    return folder / 'web.tar'


def _write_parquet(folder, name):
    suffix = name.rpartition('.')[2]
    table = {'key': ['good', 'hostile'], suffix: [_draw(), EPS]}
    pq.write_table(pa.table(table), folder / 'web.parquet')
    return folder / 'web.parquet'


def _write_folder(folder, name):
    (folder / 'cat').mkdir()
    (folder / 'cat' / 'good.png').write_bytes(_draw())
    (folder / 'cat' / name).write_bytes(EPS)
    return folder


def _write_list(folder, name):
    _write_folder(folder, name)
    file = folder / 'list.txt'
    file.write_text(f'cat/good.png 0\ncat/{name} 0\n')
    return file


@pytest.fixture
def web(tmp_path):
    (tmp_path / 'web').mkdir()
    return tmp_path / 'web'


@pytest.mark.parametrize(
    ('write', 'name', 'bad'),
    [
        *(
            (write, name, 1)
            for write in (_write_tar, _write_parquet, _write_folder)
            for name in ('hostile.jpg', 'hostile.png')
        ),
        (_write_list, 'hostile.jpg', 1),
        (_write_list, 'hostile.eps', 1),
        # By its suffix no image: as captions, it is not counted.
        (_write_tar, 'hostile.eps', 0),
        (_write_folder, 'hostile.eps', 0),
    ],
)
def test_embedding_counts_and_lists_it(
    write, name, bad, ghostscript, web, tmp_path, monkeypatch
):
    said = []
    monkeypatch.setattr(
        shards, 'print_log', lambda text, *_, **__: said.append(text)
    )
    embed_shards(
        find_shards([str(write(web, name))]),
        tmp_path / 'store',
        lambda images: torch.eye(len(images), 4, dtype=torch.float16),
        lambda image: torch.zeros(1),
        ENCODER,
        batch_size=4,
        workers=0,
    )
    if write is _write_folder and not bad:
        assert 'files of other types: 1' in ''.join(said)
    assert not ghostscript.exists()
    store = json.loads((tmp_path / 'store/store.json').read_text())
    assert (store['rows'], store['bad_images']) == (1, bad)
    for entry in json.loads((tmp_path / 'store/bad_images.json').read_text()):
        assert 'hostile' in entry['key']
        assert entry['reason'] == 'no known image format'


@pytest.mark.parametrize('name', ['hostile.jpg', 'hostile.eps'])
def test_the_inferencer_names_it(name, ghostscript, web):
    _write_folder(web, name)
    with pytest.raises(ValueError, match=rf'{name}.* no known image format'):
        load_image(web / 'cat' / name)
    assert len(list_inputs(web / 'cat')) == (1 if name[-3:] == 'eps' else 2)
    assert not ghostscript.exists()


@pytest.mark.parametrize('name', ['hostile.jpg', 'hostile.eps'])
def test_the_demo_names_an_upload(name, ghostscript, web):
    (web / name).write_bytes(EPS)
    with fresh_modules(ROOT / 'projects/gradio_demo'):
        from page import compare

        with pytest.raises(ValueError, match=f'{name}: no known image format'):
            compare(None, [str(web / name)], 'cat')
    assert not ghostscript.exists()


LOADERS = {
    'OpenCV': dict(type='LoadImageFromFile'),
    'Pillow': dict(type='LoadImageFromFile', imdecode_backend='pillow'),
    'ours': dict(type='ltvl_mm.LoadImage'),
}


@pytest.mark.parametrize('loader', LOADERS)
def test_a_training_reports_it_and_goes_on(
    loader, ghostscript, target, manifest, tmp_path
):
    disable_ghostscript()  # as at import; the fixture has enabled it
    image = next((manifest.parent).rglob('*.png'))
    image.write_bytes(EPS)
    target['pipeline'] = [
        LOADERS[loader],
        dict(type='Resize', scale=32),
        dict(type='PackInputs'),
    ]
    lines = []
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(
            'ltvl_mm.datasets.retrieved.print_log',
            lambda text, *_, **__: lines.append(text),
        )
        Runner(
            model=dict(
                type='ImageClassifier',
                data_preprocessor=dict(
                    type='ClsDataPreprocessor', mean=[0] * 3, std=[1] * 3
                ),
                backbone=dict(
                    type='ResNet', depth=18, base_channels=4, stem_channels=4
                ),
                neck=dict(type='GlobalAveragePooling'),
                head=dict(type='LinearClsHead', num_classes=3, in_channels=32),
            ),
            work_dir=str(tmp_path / 'work'),
            experiment_name=f'ghostscript_{loader}',
            default_scope='mmpretrain',
            train_cfg=dict(by_epoch=True, max_epochs=1),
            optim_wrapper=dict(optimizer=dict(type='SGD', lr=0.01)),
            train_dataloader=dict(
                batch_size=4,
                dataset=dict(
                    type='ltvl_mm.TACKLEDataset',
                    dataset=target,
                    manifest=str(manifest),
                ),
                sampler=dict(type='DefaultSampler', shuffle=False),
            ),
        ).train()
    assert not ghostscript.exists()
    (line,) = lines
    assert f'({image}) cannot be loaded and is replaced' in line


def test_importing_the_package_takes_ghostscript_from_pillow(
    ghostscript, monkeypatch
):
    disable_ghostscript()
    for data in (EPS, b'%!PS-Adobe-3.0\n' + EPS):
        with pytest.raises(OSError), Image.open(io.BytesIO(data)) as image:  # noqa: PT011
            image.load()
    assert shutil.which('gs')
    assert not ghostscript.exists()

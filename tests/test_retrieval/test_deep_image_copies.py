"""16-bit and other odd images: decontamination, copies that train."""

import io
import tarfile
from dataclasses import replace

import numpy as np
import pytest
import torch
from mmpretrain.datasets import LoadImageFromFile
from PIL import Image
from web_memory import ENCODER

from ltvl_mm.retrieval.dedup.near_duplicates import CopyRule
from ltvl_mm.retrieval.reading.shard_embedding import embed_shards
from ltvl_mm.retrieval.reading.shards import find_shards
from ltvl_mm.retrieval.run_retrieval import run_retrieval
from ltvl_mm.retrieval.task import RetrievalOptions, RetrievalTask
from ltvl_mm.structures.class_queries import ClassQueries
from ltvl_mm.utils.image_decoding import decode_image

QUERIES = ClassQueries(
    ('a', 'b'), ('{}',), np.eye(2, 65, dtype=np.float32), ENCODER
)
OPTIONS = RetrievalOptions(
    temperature=0.05,
    oversample_factor=3,
    duplicates=CopyRule(0.9, 10),
    exclude=CopyRule(0.9, 10),
)


def _paint(seed):
    blocks = np.random.default_rng(seed).integers(20, 236, (8, 8))
    return np.kron(blocks, np.ones((4, 4))).astype(np.uint8)


def _deepen(values):
    return values.astype(np.uint16) * 257


def _save(file, values, kind='PNG'):
    file.parent.mkdir(exist_ok=True)
    data = io.BytesIO()
    Image.fromarray(values).save(data, kind)
    file.write_bytes(data.getvalue())


def _embed(folder):
    def preprocess(image):
        pixels = np.array(image.resize((8, 8)), np.float32) / 255
        return torch.from_numpy(pixels).permute(2, 0, 1)

    def encode(images):
        gray = images.mean(1).flatten(1)
        gray = gray - gray.mean(1, keepdim=True)
        return torch.nn.functional.pad(gray, (0, 1), value=0.5)

    shards = find_shards([str(folder)])
    out = folder.with_name(f'{folder.name}_store')
    return embed_shards(shards, out, encode, preprocess, ENCODER, workers=0)


def test_copies_of_16_bit_test_images_are_kept_out(tmp_path):
    for seed in range(16):
        values, name = _paint(seed), f'{seed:02d}'
        _save(tmp_path / 'test' / f'{name}.png', _deepen(values))
        _save(tmp_path / 'web' / f'copy-8-{name}.png', values)
        _save(
            tmp_path / 'web' / f'copy-16-{name}.tif', _deepen(values), 'TIFF'
        )
    different = [f'different-{seed}.png' for seed in range(8)]
    for seed, name in enumerate(different, 100):
        _save(tmp_path / 'web' / name, _deepen(_paint(seed)))
    task = RetrievalTask(
        _embed(tmp_path / 'web'),
        QUERIES,
        np.array([40, 0]),
        (_embed(tmp_path / 'test'),),
        OPTIONS,
    )
    manifest, rejected = run_retrieval(task, tmp_path / 'out')
    assert sorted(manifest.key) == different
    assert {entry.reason for entry in rejected} == {'excluded'}
    assert len({entry.key for entry in rejected}) == 32


def _read_as_training(file):
    step = LoadImageFromFile()
    return step.transform({'img_path': str(file)})['img'][..., ::-1]


@pytest.mark.parametrize('copy', ['folder', 'tar'])
def test_odd_images_are_copied_in_a_form_that_training_reads(tmp_path, copy):
    colors = [
        (_paint(seed)[..., None] * [1, 0.5, 0.25]).astype(np.uint8)
        for seed in (1, 2, 3)
    ]
    alpha = np.full(colors[0].shape[:2], 128, np.uint8)
    web = tmp_path / 'web'
    _save(web / 'deep.png', _deepen(_paint(4)))
    _save(web / 'glass.png', np.dstack([colors[0], alpha]))
    _save(web / 'plain.png', colors[1])
    Image.fromarray(colors[2]).convert('CMYK').save(web / 'print.jpg')
    task = RetrievalTask(
        _embed(web),
        QUERIES,
        np.array([4, 0]),
        (),
        replace(OPTIONS, copy=copy),
    )
    out = tmp_path / 'out'
    manifest, _ = run_retrieval(task, out)
    if copy == 'tar':
        with tarfile.open(out / 'images.tar') as file:
            file.extractall(out)
    assert len(manifest.key) == 4
    for key, name in zip(manifest.key, manifest.file, strict=True):
        expected = np.array(decode_image((web / key).read_bytes()), int)
        found = _read_as_training(out / name)
        assert np.abs(found - expected).mean() < 2, key
        if key == 'plain.png':  # nothing to convert
            assert (out / name).read_bytes() == (web / key).read_bytes()
    if copy == 'tar':
        return
    # A run of before copied raw bytes and was killed.
    before = {name: (out / name).read_bytes() for name in manifest.file}
    (out / 'manifest.parquet').unlink()
    for key, name in zip(manifest.key, manifest.file, strict=True):
        (out / name).write_bytes((web / key).read_bytes())
    again, _ = run_retrieval(task, out)
    assert tuple(again.file) == tuple(manifest.file)
    after = {name: (out / name).read_bytes() for name in again.file}
    assert after == before

"""Decontamination of 16-bit images."""

import io

import numpy as np
import torch
from PIL import Image
from web_memory import ENCODER

from ltvl_mm.retrieval.copies import CopyRule
from ltvl_mm.retrieval.embedding import embed_shards
from ltvl_mm.retrieval.retrieve import retrieve
from ltvl_mm.retrieval.shards import find_shards
from ltvl_mm.retrieval.task import RetrievalOptions, RetrievalTask
from ltvl_mm.structures.class_queries import ClassQueries

QUERIES = ClassQueries(
    ('a', 'b'), ('{}',), np.eye(2, 65, dtype=np.float32), ENCODER
)
OPTIONS = RetrievalOptions(
    temperature=0.05,
    over=3,
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
    manifest, rejected = retrieve(task, tmp_path / 'out')
    assert sorted(manifest.key) == different
    assert {entry.reason for entry in rejected} == {'excluded'}
    assert len({entry.key for entry in rejected}) == 32

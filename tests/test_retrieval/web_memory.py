"""Toy web images: the color of an image says which image it is."""

import io
import struct
import tarfile
import time
import zlib

import numpy as np
import torch
from PIL import Image

from ltvl_mm.retrieval.reading.shard_embedding import embed_shards
from ltvl_mm.structures.store_parts import METADATA
from ltvl_mm.structures.store_writer import finish_store, write_part

ENCODER = {'arch': 'mean color', 'weights': 'none', 'preprocess': '4 px'}


def draw(number):
    """Return a PNG whose color is ``number``, 0 to 215, in base 6."""
    return save(Image.new('RGB', (8, 8), _color(number)))


def save(image, kind='PNG', **options):
    file = io.BytesIO()
    image.save(file, kind, **options)
    return file.getvalue()


def claim_size(side):
    """Return a tiny PNG that says it has ``side`` x ``side`` pixels."""
    data = bytearray(save(Image.new('L', (1, 1))))
    data[16:24] = struct.pack('>II', side, side)
    data[29:33] = struct.pack('>I', zlib.crc32(data[12:29]))
    return bytes(data)


def preprocess(image):
    pixels = np.array(image.resize((4, 4)), np.float32) / 255
    return torch.from_numpy(pixels).permute(2, 0, 1)  # (3, 4, 4)


def encode(images):
    """Map (B, 3, 4, 4) to mean red, green, blue and a one: (B, 4)."""
    return torch.nn.functional.pad(images.mean((2, 3)), (0, 1), value=1)


def expect(number):
    """Return what ``draw(number)`` is embedded as."""
    x = np.array([*_color(number), 255], float)
    return x / np.linalg.norm(x)


def write_tar(path, members):
    """Write (name, bytes) members in their order; return ``path``."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with tarfile.open(path, 'w') as tar:
        for name, data in members:
            member = tarfile.TarInfo(name)
            member.size = len(data)
            tar.addfile(member, io.BytesIO(data))
    return path


def embed(shards, out, encode=encode, **options):
    options = {'batch_size': 3, 'workers': 0} | options
    return embed_shards(shards, out, encode, preprocess, ENCODER, **options)


def embed_slowly(shards, out):
    """Leave time to be killed in."""

    def encode_slowly(images):
        time.sleep(0.02)
        return encode(images)

    embed(shards, out, encode_slowly)


def write_store(root, matrices, encoder=ENCODER):
    """Write a store of given embeddings, without images behind them."""
    parts = []
    for number, matrix in enumerate(matrices):
        rows = len(matrix)
        text = {name: [''] * rows for name in METADATA.names}
        numbers = {n: [0] * rows for n in ('offset', 'size', 'phash')}
        keys = [f'{number}/{row}' for row in range(rows)]
        parts.append(
            write_part(
                root,
                len(matrices),
                number,
                f'shard-{number}',
                matrix,
                text | numbers | {'image_path': keys},
                bad=[],
            )
        )
    return finish_store(root, encoder, matrices[0].shape[1], parts)


def read_folder(root):
    """Return the bytes of every file below ``root``, by path."""
    return {
        path.relative_to(root).as_posix(): path.read_bytes()
        for path in root.rglob('*')
        if path.is_file()
    }


def _color(number):
    return tuple(51 * (number // 6**place % 6) for place in (2, 1, 0))

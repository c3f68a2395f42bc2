"""Hostile and broken web images, from tar to store."""

import io
import json
import os
import pickle
import struct
import tarfile
import zlib

import numpy as np
import pytest
import torch
from PIL import Image
from web_memory import ENCODER, embed, read_folder, save, write_tar

from ltvl_mm.retrieval.reading.image_text import MAX_CAPTION
from ltvl_mm.retrieval.reading.shard_embedding import embed_shards
from ltvl_mm.retrieval.reading.shards import find_shards
from ltvl_mm.structures.store_parts import METADATA


def _draw(number):
    """Return a JPEG whose four corners say ``number``, below 7 ** 4."""
    corners = [30 * (number // 7**place % 7) for place in range(4)]
    pixels = np.array(corners, np.uint8).reshape(2, 2)
    pixels = pixels.repeat(16, 0).repeat(16, 1)
    return save(Image.fromarray(pixels), 'JPEG', quality=95)


def _preprocess(image):
    small = image.convert('L').resize((2, 2), Image.Resampling.BOX)
    return torch.from_numpy(np.array(small, np.float32))[None]  # (1, 2, 2)


def _encode(images):
    return torch.nn.functional.pad(images.flatten(1), (0, 1), value=100)


def _read_number(embedding):
    """Return what the image of an embedding says of itself."""
    corners = np.rint(embedding[:4] / embedding[4] * 100 / 30).astype(int)
    return sum(int(c) * 7**place for place, c in enumerate(corners))


def _check_rows(store):
    """Every row is of the image that its key names."""
    rows = np.arange(len(store))
    keys = store.read_metadata(rows)['image_path']
    numbers = [int(key.split('/')[-1].split('-')[0]) for key in keys]
    assert [_read_number(x) for x in store.read_rows(rows)] == numbers
    return numbers


def _embed(shards, out, **options):
    options = {'batch_size': 16, 'workers': 2} | options
    return embed_shards(shards, out, _encode, _preprocess, ENCODER, **options)


def _draw_bomb(side):
    """Return a whole PNG of ``side`` x ``side`` pixels in a few kilobytes."""
    row = bytes(1 + (side + 7) // 8)
    packer = zlib.compressobj(1)
    rows = [packer.compress(row * 1000) for _ in range(side // 1000)]

    def chunk(kind, data):
        crc = struct.pack('>I', zlib.crc32(kind + data))
        return struct.pack('>I', len(data)) + kind + data + crc

    return b''.join(
        [
            b'\x89PNG\r\n\x1a\n',
            chunk(b'IHDR', struct.pack('>IIBBBBB', side, side, 1, 0, 0, 0, 0)),
            chunk(b'IDAT', b''.join(rows) + packer.flush()),
            chunk(b'IEND', b''),
        ]
    )


class _Bomb:
    def __reduce__(self):
        return (os.mkdir, ('harm',))


def _add(tar, name, data=b'', kind=tarfile.REGTYPE, target=''):
    member = tarfile.TarInfo(name)
    member.type, member.linkname, member.size = kind, target, len(data)
    tar.addfile(member, io.BytesIO(data))


def test_a_hostile_tar_has_no_effect_but_its_list(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / 'secret.jpg').write_bytes(_draw(999))
    secret = str(tmp_path / 'secret.jpg')
    with tarfile.open('0.tar', 'w', format=tarfile.GNU_FORMAT) as tar:
        _add(tar, '0.jpg', _draw(0))
        _add(tar, '../../1.jpg', _draw(1))
        _add(tar, f'{tmp_path}/2.jpg', _draw(2))
        _add(tar, '90.jpg', kind=tarfile.SYMTYPE, target=secret)
        _add(tar, '91.jpg', kind=tarfile.LNKTYPE, target=secret)
        _add(tar, '92.jpg', kind=tarfile.SYMTYPE, target='0.jpg')
        _add(tar, '93.jpg', kind=tarfile.LNKTYPE, target='0.jpg')
        _add(tar, '94.jpg', kind=tarfile.CHRTYPE)
        _add(tar, '95.jpg', kind=tarfile.BLKTYPE)
        _add(tar, '96.jpg', kind=tarfile.FIFOTYPE)
        _add(tar, '3.jpg', _draw(3))
        _add(tar, '3.txt', b'long ' * 200_000)
        _add(tar, '4.jpg', _draw(4))
        _add(tar, '4.json', b'{"caption": "%s"}' % (b'x' * 1_000_000))
        _add(tar, '5.jpg', _draw(5))
        _add(tar, '5.json', b'{"url": "%s"}' % (b'u' * 1_000_000))
        _add(tar, 'bomb.png', _draw_bomb(50_000))
        _add(tar, 'line.png', save(Image.new('L', (1, 60_000))))
        _add(tar, 'pickle.jpg', pickle.dumps(_Bomb()))
        _add(tar, 'pickle.npy', pickle.dumps(_Bomb()))
        _add(tar, '6.jpg', _draw(6))
        _add(tar, '6.pkl', pickle.dumps(_Bomb()))
        _add(tar, '6.pyd', pickle.dumps(_Bomb()))
    before = read_folder(tmp_path)
    store = _embed(find_shards(['0.tar']), tmp_path / 'store')
    assert _check_rows(store) == list(range(7))
    assert {key: reason[:30] for key, reason in store.parts[0].bad} == {
        '0/bomb': 'not decodable: DecompressionBo',
        '0/line': '1 x 60000 px is a line, not a ',
        '0/pickle': 'no known image format',
    }
    found = store.read_metadata(np.arange(7))
    assert max(map(len, found['caption'])) == MAX_CAPTION
    assert max(map(len, found['url'])) == 2000
    written = {
        name: data
        for name, data in read_folder(tmp_path).items()
        if not name.startswith('store/')
    }
    assert written == before
    # A hundred bytes a row and a few long texts, not megabytes.
    assert sum(map(len, read_folder(tmp_path / 'store').values())) < 50_000


BROKEN = (
    lambda data: b'',
    lambda data: data[: len(data) // 2],
    lambda data: b'<html>404</html>',
    lambda data: bytes(len(data)),
    lambda data: pickle.dumps(data),
)


@pytest.mark.parametrize('workers', [0, 2])
def test_a_hundredth_of_broken_images_and_a_cut_tar_shift_no_row(
    tmp_path, workers
):
    rng = np.random.default_rng(0)
    broken = set(rng.choice(1000, 10, replace=False).tolist())
    for tar in range(10):
        members = []
        for number in range(100 * tar, 100 * tar + 100):
            data = _draw(number)
            if number in broken:
                data = BROKEN[number % len(BROKEN)](data)
            members.append((f'{number}.jpg', data))
            members.append((f'{number}.txt', b'%d' % number))
        write_tar(tmp_path / 'tars' / f'{tar}.tar', members)
    cut = tmp_path / 'tars' / '6.tar'
    os.truncate(cut, cut.stat().st_size // 2)
    store = _embed(
        find_shards([str(tmp_path / 'tars')]),
        tmp_path / 'store',
        workers=workers,
    )
    numbers = _check_rows(store)
    lost = sorted(set(range(1000)) - broken - set(numbers))
    # Of the cut tar what is before the cut is there, and no more is lost.
    assert lost == [n for n in range(lost[0], 700) if n not in broken]
    assert 640 < lost[0] < 660
    captions = store.read_metadata(np.arange(len(store)))['caption']
    # The caption of the last image before the cut lies behind it.
    due = [
        '' if number == lost[0] - 1 and not captions[place] else str(number)
        for place, number in enumerate(numbers)
    ]
    assert list(captions) == due
    listed = json.loads((tmp_path / 'store/bad_images.json').read_text())
    due = {f'{n // 100}/{n}' for n in broken if not lost[0] <= n < 700}
    assert {entry['key'] for entry in listed} == due | {'6'}
    (reason,) = (entry['reason'] for entry in listed if entry['key'] == '6')
    assert 'the tar is broken from here' in reason


# What a sample says of itself.


def test_what_filters_ask_for_is_kept_with_its_type(tmp_path):
    record = {
        'width': 9999,  # what is decoded knows better
        'original_width': 640,
        'original_height': 480.0,
        'similarity': 0.25,
        'punsafe': 1,
        'NSFW': 'UNLIKELY',
        'LANGUAGE': 'de',
        'exif': '{}',
    }
    hostile = {
        'original_width': -1,
        'original_height': 10**400,
        'similarity': '0.3',
        'punsafe': float('nan'),
        'pwatermark': [1],
        'NSFW': 'x' * 1_000_000,
        'LANGUAGE': {'a': 1},
    }
    members = []
    for number, entry in enumerate([record, hostile, {}]):
        members.append((f'{number}.jpg', _draw(number)))
        members.append((f'{number}.json', json.dumps(entry).encode()))
    tar = write_tar(tmp_path / '0.tar', members)
    store = embed(find_shards([str(tar)]), tmp_path / 'store')
    (part,) = store.parts
    names = [n for n in store.find_columns(part) if n not in METADATA.names]
    found = store.read_columns(part, names).to_pylist()
    nothing = dict.fromkeys(names) | {'width': 32, 'height': 32}
    assert found == [
        nothing
        | {
            'original_width': 640,
            'original_height': 480,
            'similarity': 0.25,
            'punsafe': 1.0,
            'NSFW': 'UNLIKELY',
            'LANGUAGE': 'de',
        },
        nothing | {'NSFW': 'x' * 100},
        nothing,
    ]

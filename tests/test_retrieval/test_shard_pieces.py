"""Several workers inside one shard: the same parts, bit by bit."""

import os
from pathlib import Path

import numpy as np
import pytest
import torch
from web_memory import draw, embed, read_folder, write_tar

from ltvl_mm.retrieval.reading import shard_pieces
from ltvl_mm.retrieval.reading.image_batches import ImageBatch, ShardBatches
from ltvl_mm.retrieval.reading.shard_pieces import ShardPiece, deal_pieces
from ltvl_mm.retrieval.reading.shards import Shard, find_shards, iterate_shard


@pytest.fixture
def small_pieces(monkeypatch):
    monkeypatch.setattr(shard_pieces, 'MIN_PIECE_BYTES', 1)
    monkeypatch.setattr(shard_pieces, '_FILE_BYTES', 1000)


@pytest.fixture
def inputs(tmp_path):
    """A tar with odd members, a small tar, and a folder of images."""
    members = []
    for n in range(23):
        members += [(f'{n}.png', draw(n)), (f'{n}.txt', b'number %d' % n)]
    members[5:5] = [('x.png', b'not an image'), ('.hidden.png', draw(1))]
    members[20:20] = [('3.jpg', draw(50)), ('4.png', draw(51))]
    # A sample of two images, captions in another place, and a broken end.
    members += [('pair.png', draw(60)), ('pair.jpg', draw(61))]
    members += [('late.png', draw(62)), ('other.png', draw(63))]
    members += [('late.txt', b'late'), ('late.json', b'{"url": "u"}')]
    tar = write_tar(tmp_path / 'large.tar', members)
    os.truncate(tar, tar.stat().st_size - 9000)
    write_tar(tmp_path / 'small.tar', [('0.png', draw(80))])
    folder = tmp_path / 'files'
    folder.mkdir()
    for n in range(11):
        (folder / f'{n:02d}.png').write_bytes(draw(100 + n))
    (folder / '03.png').write_bytes(b'broken')
    return find_shards([str(tmp_path / n) for n in os.listdir(tmp_path)])


def encode(images):
    """Let features depend on the other images of a batch."""
    flat = images.flatten(1)
    return flat + 0.1 * flat.mean(0) + 0.01 * len(flat)


@pytest.mark.usefixtures('small_pieces')
def test_parts_do_not_depend_on_the_number_of_workers(inputs, tmp_path):
    found = {}
    for workers in (0, 1, 2, 4):
        out = tmp_path / f'store{workers}'
        store = embed(
            inputs, out, encode, workers=workers, prefetch=max(workers, 1)
        )
        found[workers] = read_folder(out)
    assert len(store) > 30
    assert any(part.bad for part in store.parts)
    assert found[1] == found[0]
    assert found[2] == found[0]
    assert found[4] == found[0]


@pytest.mark.usefixtures('small_pieces')
def test_four_workers_share_one_tar(inputs):
    large = next(n for n, shard in enumerate(inputs) if shard.name == 'large')
    batches = ShardBatches(
        inputs, [large], lambda image: torch.zeros(1), 3, workers=4
    )
    assert [len(pieces) for pieces in batches.dealt] == [1, 1, 1, 1]
    read = [batch for batch in batches if batch.rows or batch.bad]
    indices = sorted(batch.index for batch in read)
    assert indices == list(range(len(indices)))
    whole = ShardBatches(inputs, [large], lambda image: torch.zeros(1), 3)
    due = {batch.index: (batch.rows, batch.bad) for batch in whole}
    for batch in read:
        assert due[batch.index] == (batch.rows, batch.bad)


def test_images_that_are_not_wanted_are_not_read(inputs):
    for shard in inputs:
        every = list(iterate_shard(shard))
        some = list(iterate_shard(shard, lambda index: index % 3 == 1))
        assert [image.key for image in some] == [i.key for i in every]
        for index, (image, due) in enumerate(zip(some, every, strict=True)):
            if index % 3 == 1 or 'broken from here' in str(due.reason):
                assert image == due
            else:
                assert image.data is None


def _make_shards(tmp_path, sizes):
    shards = {}
    for number, size in enumerate(sizes):
        path = Path(tmp_path) / f'{number}.tar'
        with open(path, 'wb') as file:
            file.truncate(size)
        shards[number] = Shard(str(number), tar=path)
    return shards


def test_equal_shards_are_dealt_whole(tmp_path):
    shards = _make_shards(tmp_path, [10 << 20] * 40)
    dealt = deal_pieces(shards, list(shards), 4)
    assert [len(pieces) for pieces in dealt] == [10] * 4
    assert dealt[1][:2] == [ShardPiece(1, 0, 1), ShardPiece(5, 0, 1)]


def test_a_large_shard_keeps_all_workers_busy(tmp_path):
    shards = _make_shards(tmp_path, [1 << 30, *[10 << 20] * 6])
    dealt = deal_pieces(shards, list(shards), 4)
    large = [piece for pieces in dealt for piece in pieces if not piece.number]
    assert [piece.index for piece in large] == [0, 1, 2, 3]
    assert {piece.count for piece in large} == {4}
    assert sum(map(len, dealt)) == 4 + 6


def test_small_and_remote_shards_stay_whole(tmp_path):
    shards = _make_shards(tmp_path, [1000])
    assert deal_pieces(shards, [0], 8) == [[ShardPiece(0, 0, 1)]]
    missing = {0: Shard('gone', tar=Path(tmp_path) / 'gone.tar')}
    assert deal_pieces(missing, [0], 8) == [[ShardPiece(0, 0, 1)]]
    parquet = {0: Shard('p', tar=Path(tmp_path) / 'p.parquet')}
    (tmp_path / 'p.parquet').write_bytes(np.zeros(1 << 24, np.uint8))
    assert len(deal_pieces(parquet, [0], 8)) == 1


def test_batches_without_a_gpu_or_images_are_not_pinned(monkeypatch):
    full, empty = (
        ImageBatch(0, images, [], [], last=True)
        for images in (torch.zeros(1, 3, 2, 2), None)
    )
    copy = torch.ones(1)
    monkeypatch.setattr(torch.Tensor, 'pin_memory', lambda _: copy)
    monkeypatch.setattr(torch.cuda, 'is_available', lambda: False)
    assert full.pin_memory() is full
    monkeypatch.setattr(torch.cuda, 'is_available', lambda: True)
    assert full.pin_memory().images is copy
    assert empty.pin_memory() is empty

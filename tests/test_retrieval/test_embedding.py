import hashlib
import json
import multiprocessing
import os
import signal
import time

import numpy as np
import pyarrow.parquet as pq
import pytest
import torch
from PIL import Image
from web_memory import (
    claim_size,
    draw,
    embed,
    embed_slowly,
    encode,
    expect,
    read_folder,
    save,
    write_tar,
)

from ltvl_mm.retrieval.reading import tars
from ltvl_mm.retrieval.reading.shards import find_shards
from ltvl_mm.structures.encoder_identity import describe_preprocessing
from ltvl_mm.structures.store_reader import open_store

BROKEN = {
    'empty': b'',
    'html': b'<html>404</html>',
    'cut': save(Image.effect_noise((64, 64), 50), 'JPEG')[:900],
    'bomb': claim_size(60_000),
}


@pytest.fixture
def memory(tmp_path):
    """Three tars with broken images, and a folder; keys end in numbers."""
    folder = tmp_path / 'memory'
    for tar, numbers in enumerate([range(7), range(7, 8), range(8, 20)]):
        members = []
        for number in numbers:
            if number % 3 == 0:
                for name, data in BROKEN.items():
                    members.append((f'{name}-{number}.png', data))
            members.append((f'{number}.png', draw(number)))
            members.append((f'{number}.txt', b'number %d' % number))
        write_tar(folder / 'tars' / f'{tar}.tar', members)
    (folder / 'files').mkdir()
    for number in range(20, 25):
        (folder / 'files' / f'{number}').with_suffix('.png').write_bytes(
            draw(number)
        )
    return find_shards(
        [str(folder / 'tars'), str(folder / 'files')], files_per_shard=3
    )


def _number(key):
    return int(key.split('/')[-1].removesuffix('.png'))


def _check(store):
    """Every row lies where the color of its image says."""
    rows = np.arange(len(store))
    numbers = [_number(key) for key in store.read_metadata(rows)['image_path']]
    due = np.array([expect(number) for number in numbers])
    np.testing.assert_allclose(store.read_rows(rows), due, atol=1e-3)
    return numbers


def test_each_row_belongs_to_its_key(memory, tmp_path):
    store = embed(memory, tmp_path / 'store')
    assert _check(store) == list(range(25))
    assert open_store(tmp_path / 'store') == store
    list(store.iterate(4))  # every row is of unit norm


def test_what_cannot_be_read_is_listed_with_its_reason(memory, tmp_path):
    embed(memory, tmp_path)
    listed = json.loads((tmp_path / 'bad_images.json').read_text())
    assert len(listed) == 4 * 7
    reasons = {bad['key']: bad['reason'] for bad in listed}
    assert reasons['0/empty-3'] == 'empty file'
    assert reasons['0/html-3'] == 'no known image format'
    assert reasons['2/cut-9'].startswith('not decodable: OSError')
    assert 'DecompressionBombError' in reasons['2/bomb-18']


def test_metadata_says_where_an_image_lies_and_what_it_is(memory, tmp_path):
    found = embed(memory, tmp_path).read_metadata(np.arange(25))
    for row in range(25):
        with open(found['source'][row], 'rb') as file:
            file.seek(found['offset'][row])
            assert file.read(found['size'][row]) == draw(row)
        assert found['sha256'][row] == hashlib.sha256(draw(row)).hexdigest()
        caption = f'number {row}' if row < 20 else ''
        assert found['caption'][row] == caption


def test_a_cut_tar_and_a_large_member_cost_what_they_touch(
    tmp_path, monkeypatch
):
    monkeypatch.setattr(tars, 'MAX_IMAGE_BYTES', 2000)
    members = [(f'{n}.png', draw(n)) for n in range(6)]
    members.insert(2, ('large.png', bytes(2001)))
    tar = write_tar(tmp_path / '0.tar', members)
    # An image takes a block for its header and one for its data.
    assert len(draw(0)) < 512
    os.truncate(tar, 1024 * 4 + 512 + 2048 + 600)
    store = embed(find_shards([str(tar)]), tmp_path / 'store')
    assert _check(store) == [0, 1, 2, 3]
    (large, broken) = store.parts[0].bad
    assert large == ('0/large', '2001 bytes is too large')
    assert broken[0] == '0'
    assert 'the tar is broken from here' in broken[1]


def test_any_scale_and_type_of_the_encoder_gives_unit_rows(memory, tmp_path):
    store = embed(
        memory, tmp_path, lambda images: (1e3 * encode(images)).bfloat16()
    )
    list(store.iterate(100))


def test_a_batch_never_mixes_shards(memory, tmp_path):
    sizes = []

    def count(images):
        sizes.append(len(images))
        return encode(images)

    embed(memory, tmp_path, count, batch_size=5)
    # Five entries of a shard, of which four before 0, 3, 6, ... are broken:
    # which images share a batch does not depend on the number of workers.
    assert sizes == [1, 2, 3, 1, 1, 1, 3, 3, 1, 2, 2, 3, 2]


def test_without_gradients(memory, tmp_path):
    weight = torch.ones(4, requires_grad=True)
    embed(memory, tmp_path, lambda images: encode(images) * weight)
    assert weight.grad is None


# The layout of clip-retrieval.


def _read_as_clip_retrieval_does(root):
    matrices = sorted(root.glob('img_emb/*.npy'))
    tables = sorted(root.glob('metadata/*.parquet'))
    assert len(matrices) == len(tables)
    x = np.concatenate([np.load(file) for file in matrices])
    keys = []
    for file in tables:
        keys += pq.read_table(file)['image_path'].to_pylist()
    return x, keys


def test_clip_retrieval_reads_ours(tmp_path):
    # Twelve shards: 'img_emb_10' would sort before 'img_emb_2'. One has no
    # image: an empty matrix would move all later rows of its reader.
    for n in range(12):
        data = b'' if n == 4 else draw(n)
        write_tar(tmp_path / 'tars' / f'{n:02d}.tar', [(f'{n}.png', data)])
    root = tmp_path / 'store'
    embed(find_shards([str(tmp_path / 'tars')]), root)
    x, keys = _read_as_clip_retrieval_does(root)
    numbers = [_number(key) for key in keys]
    assert numbers == [0, 1, 2, 3, 5, 6, 7, 8, 9, 10, 11]
    np.testing.assert_allclose(x, [expect(n) for n in numbers], atol=1e-3)
    assert len(list(root.glob('img_emb/*'))) == 11
    assert not (root / 'img_emb' / 'img_emb_04.npy').exists()


# Resuming.


@pytest.fixture
def undisturbed(memory, tmp_path):
    embed(memory, tmp_path / 'undisturbed')
    return read_folder(tmp_path / 'undisturbed')


def test_workers_do_not_change_a_byte(memory, tmp_path, undisturbed):
    embed(memory, tmp_path / 'two', workers=2)
    assert read_folder(tmp_path / 'two') == undisturbed


@pytest.mark.parametrize('workers', [0, 2])
@pytest.mark.parametrize('batches', [0, 1, 4, 6])
def test_a_broken_off_run_is_finished_to_the_same_bytes(
    memory, tmp_path, undisturbed, batches, workers
):
    calls = []

    def fail_later(images):
        if len(calls) == batches:
            raise RuntimeError('out of memory')
        calls.append(len(images))
        return encode(images)

    out = tmp_path / 'broken'
    with pytest.raises(RuntimeError, match='out of memory'):
        embed(memory, out, fail_later)
    with pytest.raises(ValueError, match='no complete embedding store'):
        open_store(out)
    embed(memory, out, workers=workers)
    assert read_folder(out) == undisturbed


def test_finished_shards_are_not_read_again(memory, tmp_path, undisturbed):
    def refuse(images):
        raise AssertionError

    (tmp_path / 'undisturbed' / 'store.json').unlink()
    store = embed(memory, tmp_path / 'undisturbed', refuse)
    assert len(store) == 25
    assert read_folder(tmp_path / 'undisturbed') == undisturbed


def test_a_run_that_is_killed_again_and_again_ends_with_the_same_bytes(
    memory, tmp_path
):
    for n in range(25):
        tar = tmp_path / 'many' / f'{n:02d}.tar'
        write_tar(tar, [(f'{n}-{i}.png', draw(n + i)) for i in range(5)])
    shards = find_shards([str(tmp_path / 'many')])
    embed(shards, tmp_path / 'due')
    # A fresh process each time, without the seconds of importing torch.
    context = multiprocessing.get_context('forkserver')
    context.set_forkserver_preload(
        ['ltvl_mm.retrieval.reading.shard_embedding']
    )
    out, rng = tmp_path / 'killed', np.random.default_rng(0)
    done = []
    for _ in range(5):
        run = context.Process(target=embed_slowly, args=(shards, out))
        run.start()
        deadline = time.monotonic() + 60
        while _count_parts(out) <= sum(done) and time.monotonic() < deadline:
            time.sleep(0.002)
        time.sleep(rng.uniform(0, 0.1))
        os.kill(run.pid, signal.SIGKILL)
        run.join()
        assert run.exitcode == -signal.SIGKILL
        done.append(_count_parts(out) - sum(done))
    assert all(done)
    assert sum(done) < 25
    embed(shards, out)
    assert read_folder(out) == read_folder(tmp_path / 'due')


def _count_parts(out):
    return len(list(out.glob('parts/part_*.json')))


def test_another_batch_size_is_refused_by_name(memory, tmp_path):
    embed(memory, tmp_path)
    with pytest.raises(ValueError, match='begun with another batch_size'):
        embed(memory, tmp_path, batch_size=4)


def test_another_encoder_is_refused_by_name(memory, tmp_path, monkeypatch):
    embed(memory, tmp_path)
    monkeypatch.setattr('web_memory.ENCODER', {'arch': 'another'})
    with pytest.raises(ValueError, match='begun with another encoder'):
        embed(memory, tmp_path)


def test_an_old_wording_of_the_preprocessing_is_resumed(
    memory, tmp_path, monkeypatch
):
    words = 'short side 8 bicubic, center crop, CLIP mean and std'
    old = {'preprocessing': words}
    monkeypatch.setattr('web_memory.ENCODER', old)
    before = embed(memory, tmp_path)
    new = describe_preprocessing(
        size=8,
        mean=(0.48145466, 0.4578275, 0.40821073),
        std=(0.26862954, 0.26130258, 0.27577711),
        resize_mode='shortest',
        interpolation='bicubic',
    )
    monkeypatch.setattr('web_memory.ENCODER', {'preprocessing': new})
    assert embed(memory, tmp_path).fingerprint == before.fingerprint


def test_a_memory_without_any_image_is_refused(tmp_path):
    tar = write_tar(tmp_path / '0.tar', [('a.jpg', b''), ('b.txt', b'')])
    message = 'no image could be read; the first: 0/a: empty file'
    with pytest.raises(ValueError, match=message):
        embed(find_shards([str(tar)]), tmp_path / 'store')

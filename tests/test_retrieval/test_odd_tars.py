"""Every odd tar through every reader of tars."""

import hashlib
import re

import numpy as np
import pytest
from odd_inputs.no_tars import NO_TARS
from odd_inputs.tar_members import draw
from odd_inputs.tars import TARS
from web_memory import embed

from ltvl_mm.retrieval.reading import tars as tars_module
from ltvl_mm.retrieval.reading.image_batches import _read_image
from ltvl_mm.retrieval.reading.shards import find_shards, iterate_shard
from ltvl_mm.retrieval.reading.web_image import read_image_bytes


@pytest.fixture(params=TARS)
def case(request):
    return TARS[request.param]


@pytest.fixture
def tar(case, tmp_path):
    case.write(tmp_path / case.name)
    return tmp_path / case.name


@pytest.fixture
def messages(monkeypatch):
    found = []
    monkeypatch.setattr(
        tars_module, 'print_log', lambda text, *_, **__: found.append(text)
    )
    return found


def test_each_image_is_read_once_with_its_caption(case, tar, messages):
    (shard,) = find_shards([str(tar)])
    images, bad = {}, {}
    for found in iterate_shard(shard):
        key = found.key.partition('/')[2]
        try:
            _read_image(found)
        except ValueError as error:
            bad[key] = str(error)
        else:
            assert key not in images
            images[key] = found
    assert {k: i.caption for k, i in images.items()} == {
        key: caption for key, (_, caption) in case.images.items()
    }
    for key, (number, _) in case.images.items():
        assert images[key].data == draw(number)
    assert bad.keys() == case.bad.keys()
    assert all(text in bad[key] for key, text in case.bad.items())
    assert case.log in ''.join(messages)
    assert bool(case.log) == bool(messages)


def test_each_image_is_found_again_by_its_offset(case, tar):
    (shard,) = find_shards([str(tar.parent)])
    for found in iterate_shard(shard):
        if found.data is not None:
            sha256 = hashlib.sha256(found.data).hexdigest()
            data = read_image_bytes(
                found.source, found.offset, len(found.data), sha256
            )
            assert data == found.data


def test_a_store_has_each_image_and_lists_the_others(case, tar, tmp_path):
    if not case.images:
        message = 'no image could be read' if case.bad else 'hold no image'
        with pytest.raises(ValueError, match=message):
            embed(find_shards([str(tar)]), tmp_path / 'store')
        return
    store = embed(find_shards([str(tar)]), tmp_path / 'store')
    keys = store.read_metadata(np.arange(len(store)))['image_path']
    assert sorted(keys) == sorted(f'{tar.stem}/{key}' for key in case.images)
    assert len(store.parts[0].bad) == len(case.bad)


@pytest.mark.parametrize('name', NO_TARS)
def test_other_files_are_named_with_what_to_do(name, tmp_path):
    write, message = NO_TARS[name]
    write(tmp_path / name)
    message = message.format(path=tmp_path / name, folder=tmp_path)
    with pytest.raises(ValueError, match=re.escape(message)):
        find_shards([str(tmp_path / name)])


def test_a_compressed_tar_among_others_is_found_before_the_work(tmp_path):
    TARS['webdataset'].write(tmp_path / '0.tar')
    NO_TARS['a.tar'][0](tmp_path / '1.tar')
    with pytest.raises(ValueError, match=r'1\.tar is compressed \(gzip\)'):
        find_shards([str(tmp_path)])

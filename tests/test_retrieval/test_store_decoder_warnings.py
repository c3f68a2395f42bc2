"""Stores of an older image decoder: completed, searched and reported."""

import json

import numpy as np
import pytest
from web_memory import ENCODER, draw, embed, read_folder, write_tar

from ltvl_mm.retrieval.reading.shards import find_shards
from ltvl_mm.retrieval.run_retrieval import run_retrieval
from ltvl_mm.retrieval.task import RetrievalOptions, RetrievalTask
from ltvl_mm.structures.class_queries import ClassQueries
from ltvl_mm.structures.store_join import join_stores
from ltvl_mm.structures.store_reader import open_store
from ltvl_mm.utils.image_decoding import DECODER_VERSION
from ltvl_mm.utils.io import hash_content, read_json, write_json

# Settings as they were written before the decoder was recorded.
OLD = {'encoder': ENCODER, 'batch_size': 3, 'precision': 'float32'}


@pytest.fixture
def warnings(monkeypatch):
    """Collect the messages about decoders."""
    found = []

    def collect(text, *_, **__):
        if 'image decoder' in text:
            found.append(text)

    for module in ('reading.shard_embedding', 'preconditions'):
        monkeypatch.setattr(f'ltvl_mm.retrieval.{module}.print_log', collect)
    return found


@pytest.fixture
def tars(tmp_path):
    return [
        str(write_tar(tmp_path / f'{n}.tar', [(f'{n}.png', draw(40 * n))]))
        for n in range(4)
    ]


def _begin_old(out, tars):
    out.mkdir()
    write_json(out / 'settings.json', OLD)
    return embed(find_shards(tars), out)


def test_new_store_records_the_decoder(tars, tmp_path, warnings):
    embed(find_shards(tars), tmp_path / 'new')
    for name in ('settings.json', 'store.json'):
        found = read_json(tmp_path / 'new' / name)['decoder']
        assert found == DECODER_VERSION
    embed(find_shards(tars), tmp_path / 'new')
    assert not warnings


def test_old_store_keeps_its_settings_and_bytes(tars, tmp_path, warnings):
    whole = _begin_old(tmp_path / 'whole', tars)
    assert len(warnings) == 1
    _begin_old(tmp_path / 'grown', tars[:2])
    embed(find_shards(tars), tmp_path / 'grown')
    assert len(warnings) == 3
    assert str(tmp_path / 'grown') in warnings[-1]
    embed(find_shards(tars), tmp_path / 'grown')  # nothing to embed
    assert len(warnings) == 3
    due = read_folder(tmp_path / 'whole')
    assert read_folder(tmp_path / 'grown') == due
    assert json.loads(due['settings.json']) == OLD
    assert 'decoder' not in json.loads(due['store.json'])
    assert {part.store for part in whole.parts} == {hash_content(OLD)}
    new = embed(find_shards(tars), tmp_path / 'new')
    assert new.fingerprint == whole.fingerprint


def test_search_warns_once_for_each_old_store(tars, tmp_path, warnings):
    old = _begin_old(tmp_path / 'old', tars[:2])
    new = embed(find_shards(tars[2:]), tmp_path / 'new')
    queries = ClassQueries(
        ('red', 'green'), ('{}',), np.eye(2, 4, dtype='f4'), ENCODER
    )
    for number, (store, excluded, due) in enumerate(
        [
            (join_stores([new, old]), [], 1),
            (new, [old], 1),
            (new, [], 0),
        ]
    ):
        del warnings[:]
        task = RetrievalTask(
            store,
            queries,
            np.array([1, 1]),
            excluded,
            RetrievalOptions(copy='none', temperature=0.01),
        )
        run_retrieval(task, tmp_path / f'out{number}')
        assert len(warnings) == due
        assert all(str(tmp_path / 'old') in text for text in warnings)
    assert open_store(tmp_path / 'old').fingerprint == old.fingerprint

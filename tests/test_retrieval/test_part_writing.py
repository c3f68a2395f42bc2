"""Parts are written in a thread, while the next images are encoded."""

import threading
import time

import pytest
from web_memory import draw, embed, encode, read_folder, write_tar

from ltvl_mm.retrieval.reading import embedding_job
from ltvl_mm.retrieval.reading.shards import find_shards

SHARDS = 6
# Seconds after which a test fails instead of waiting for ever.
LIMIT = 20


@pytest.fixture
def shards(tmp_path):
    return find_shards(
        [
            str(write_tar(tmp_path / f'{n}.tar', [(f'{n}.png', draw(n))]))
            for n in range(SHARDS)
        ]
    )


def test_the_next_shard_is_encoded_while_one_is_written(
    shards, tmp_path, monkeypatch
):
    due = embed(shards, tmp_path / 'due')
    second_shard, calls = threading.Event(), []
    write = embedding_job.write_part

    def write_late(*args, **kwargs):
        assert threading.current_thread() is not threading.main_thread()
        assert second_shard.wait(LIMIT)
        return write(*args, **kwargs)

    def encode_and_tell(images):
        assert threading.current_thread() is threading.main_thread()
        calls.append(len(images))
        if len(calls) == 2:
            second_shard.set()
        return encode(images)

    monkeypatch.setattr(embedding_job, 'write_part', write_late)
    store = embed(shards, tmp_path / 'out', encode_and_tell)
    assert len(store) == len(due) == SHARDS
    assert read_folder(tmp_path / 'out') == read_folder(tmp_path / 'due')


def test_encoding_waits_for_slow_disks(shards, tmp_path, monkeypatch):
    encoded, written, waiting = [], [], []
    write = embedding_job.write_part

    def write_slowly(*args, **kwargs):
        time.sleep(0.05)
        written.append(write(*args, **kwargs))

    def count(images):
        waiting.append(len(encoded) - len(written))
        encoded.append(images)
        return encode(images)

    monkeypatch.setattr(embedding_job, 'write_part', write_slowly)
    embed(shards, tmp_path / 'out', count)
    assert len(written) == SHARDS
    assert 0 < max(waiting) <= embedding_job.MAX_WAITING_PARTS


def test_a_part_that_cannot_be_written_ends_embedding(
    shards, tmp_path, monkeypatch
):
    write = embedding_job.write_part

    def fail(root, total, number, *args, **kwargs):
        if number == 1:
            raise OSError(28, 'No space left on device')
        return write(root, total, number, *args, **kwargs)

    monkeypatch.setattr(embedding_job, 'write_part', fail)
    with pytest.raises(OSError, match='No space left'):
        embed(shards, tmp_path / 'out')
    monkeypatch.undo()
    embed(shards, tmp_path / 'out')
    embed(shards, tmp_path / 'due')
    assert read_folder(tmp_path / 'out') == read_folder(tmp_path / 'due')


def test_parts_before_a_failing_encoder_are_written(shards, tmp_path):
    calls = []

    def fail(images):
        calls.append(len(images))
        if len(calls) == 4:
            raise RuntimeError('out of memory')
        return encode(images)

    with pytest.raises(RuntimeError, match='out of memory'):
        embed(shards, tmp_path / 'out', fail)
    assert len(list((tmp_path / 'out/parts').glob('*.json'))) == 3

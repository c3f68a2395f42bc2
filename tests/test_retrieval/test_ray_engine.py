"""A Ray cluster of this machine, whose workers are killed."""

import os
import random
import signal
import threading
from types import SimpleNamespace

import numpy as np
import pytest
import torch
import web_memory
from stress.kill_ray_workers import kill_workers
from web_memory import draw, encode, read_folder, write_store, write_tar

from ltvl_mm.retrieval.options import RetrievalOptions
from ltvl_mm.retrieval.reading.embedding_job import EmbeddingJob
from ltvl_mm.retrieval.reading.shards import find_shards
from ltvl_mm.retrieval.run_retrieval import run_retrieval
from ltvl_mm.retrieval.search.selection import Selection
from ltvl_mm.retrieval.search.work_units import select_in_units
from ltvl_mm.retrieval.task import RetrievalTask
from ltvl_mm.structures.class_queries import ClassQueries

ray = pytest.importorskip('ray')
from ltvl_mm.retrieval.dealing import ray_encoders  # noqa: E402
from ltvl_mm.retrieval.dealing.ray_engine import RayEngine  # noqa: E402
from ltvl_mm.retrieval.search.search_spec import SearchOptions  # noqa: E402


@pytest.fixture(scope='module', autouse=True)
def cluster():
    os.environ['RAY_USAGE_STATS_ENABLED'] = '0'
    os.environ['RAY_worker_niceness'] = '0'
    # Workers cannot import what lies beside the tests.
    ray.cloudpickle.register_pickle_by_value(web_memory)
    ray.init(num_cpus=2, include_dashboard=False, logging_level='ERROR')
    yield
    ray.shutdown()


@pytest.fixture(scope='module')
def shards(tmp_path_factory):
    """12 tars of 7 images, of which one is broken."""
    folder = tmp_path_factory.mktemp('ray')
    for tar in range(12):
        members = [(f'{n}.png', draw(7 * tar + n)) for n in range(7)]
        members[3] = ('3.png', b'broken')
        write_tar(folder / f'{tar:05d}.tar', members)
    return find_shards([str(folder)])


@pytest.fixture(scope='module')
def due(shards, tmp_path_factory):
    out = tmp_path_factory.mktemp('local')
    web_memory.embed(shards, out)
    return read_folder(out)


def test_the_store_has_the_bytes_of_the_local_engine(shards, due, tmp_path):
    web_memory.embed(shards, tmp_path, engine=RayEngine(), workers=2)
    assert read_folder(tmp_path) == due


def test_only_missing_parts_are_embedded(shards, due, tmp_path):
    web_memory.embed(shards, tmp_path)
    kept = tmp_path / 'parts/part_04.json'
    time = kept.stat().st_mtime_ns
    for number in (3, 11):
        (tmp_path / f'parts/part_{number:02d}.json').unlink()
    web_memory.embed(shards, tmp_path, engine=RayEngine(encoders=1))
    assert read_folder(tmp_path) == due
    assert kept.stat().st_mtime_ns == time


def test_killed_workers_cost_their_shards_only(shards, due, tmp_path):
    def encode_slowly(images):
        import time

        time.sleep(0.05)
        return encode(images)

    killed = []
    stop = threading.Event()
    killer = threading.Thread(
        target=kill_workers, args=('embed', stop, killed, 3, random.Random(0))
    )
    killer.start()
    web_memory.embed(
        shards, tmp_path, encode_slowly, engine=RayEngine(), workers=1
    )
    stop.set()
    killer.join()
    assert killed
    assert read_folder(tmp_path) == due


def test_an_error_of_the_encoder_is_that_of_the_local_engine(shards, tmp_path):
    def overflow(images):
        return encode(images) * float('nan')

    for number, engine in enumerate([None, RayEngine(encoders=1)]):
        with pytest.raises(ValueError, match='has norm nan, where 1 is due'):
            web_memory.embed(
                shards, tmp_path / str(number), overflow, engine=engine
            )


def test_a_shard_whose_worker_dies_each_time_is_named(
    shards, tmp_path, monkeypatch
):
    monkeypatch.setattr(ray_encoders, 'RETRIES', 1)

    def die(images):
        os.kill(os.getpid(), signal.SIGKILL)

    with pytest.raises(
        RuntimeError, match=r"shard '00000': its worker .*died"
    ):
        web_memory.embed(shards[:1], tmp_path, die, engine=RayEngine())


def test_batches_are_pinned_where_there_is_a_gpu(
    shards, tmp_path, monkeypatch
):
    # The actor's class is plain Python: its method is called here.
    job = EmbeddingJob(
        *({0: shards[0]}, {0: {}}, 1, tmp_path, '', encode),
        *(web_memory.preprocess, 3, 0, ''),
    )
    shared = SimpleNamespace(load=lambda: job)
    encoder = ray_encoders._Encoder(threads=1, decode_cpus=0, prefetch=1)
    written, pinned = [], []
    monkeypatch.setattr(
        EmbeddingJob, 'write', lambda _, batches, __: written.extend(batches)
    )
    monkeypatch.setattr(
        torch.Tensor, 'pin_memory', lambda one: pinned.append(one) or one
    )
    for available in (False, True):
        assert not pinned
        monkeypatch.setattr(torch.cuda, 'is_available', lambda a=available: a)
        encoder.embed(shared, {})
    batches = len(written) // 2
    assert len(pinned) == batches > 1
    for one, other in zip(pinned, written[:batches], strict=True):
        assert torch.equal(one, other.images)


@pytest.fixture
def selection(tmp_path):
    rng = np.random.default_rng(0)
    x = rng.normal(size=(90, 8))
    x = (x / np.linalg.norm(x, axis=1, keepdims=True)).astype('f2')
    x[[3, 18, 49, 75]] = x[0]  # ties across units
    queries = rng.normal(size=(3, 8)).astype('f4')
    queries /= np.linalg.norm(queries, axis=1, keepdims=True)
    store = write_store(tmp_path / 'store', np.split(x, 9))
    return Selection(
        store,
        ClassQueries(('a', 'b', 'c'), ('{}',), queries, web_memory.ENCODER),
        np.array([14, 0, 9]),
        SearchOptions(temperature=0.1),
    )


def test_units_are_merged_to_the_same_candidates(selection, tmp_path):
    due = select_in_units(selection, tmp_path / 'local', unit_rows=7)
    engine = RayEngine()
    found = select_in_units(
        selection, tmp_path / 'ray', unit_rows=7, engine=engine
    )
    for file in sorted((tmp_path / 'ray').glob('*.npz'))[2:9]:
        file.unlink()  # as if killed
    again = select_in_units(
        selection, tmp_path / 'ray', unit_rows=7, engine=engine
    )
    for one, other, third in zip(found, due, again, strict=True):
        for name in ('rows', 'scores', 'cosines'):
            assert np.array_equal(getattr(one, name), getattr(other, name))
            assert np.array_equal(getattr(third, name), getattr(other, name))


def retrieve(selection, out, **options):
    queries = ClassQueries(
        ('a', 'b', 'c'),
        ('{}',),
        selection.queries.astype('f4'),
        web_memory.ENCODER,
    )
    task = RetrievalTask(
        selection.store,
        queries,
        np.array([5, 0, 9]),
        (),
        RetrievalOptions(temperature=0.1, copy='none'),
        unit_rows=1,
    )
    run_retrieval(task, out, **options)
    return read_folder(out)


def test_a_retrieval_with_killed_workers_writes_the_same_bytes(
    selection, tmp_path
):
    due = retrieve(selection, tmp_path / 'local')
    killed = []
    while not killed:
        stop = threading.Event()
        killer = threading.Thread(
            target=kill_workers,
            args=('retrieve', stop, killed, 2, random.Random(0)),
        )
        killer.start()
        found = retrieve(
            selection, tmp_path / f'ray{len(killed)}', engine=RayEngine()
        )
        stop.set()
        killer.join()
    assert found == due


def test_a_broken_store_is_named(selection, tmp_path):
    store = selection.store
    matrix = np.load(store.parts[4].matrix)
    np.save(store.parts[4].matrix, matrix[::-1])
    with pytest.raises(ValueError, match=r'img_emb_4\.npy'):
        retrieve(selection, tmp_path / 'out', engine=RayEngine())

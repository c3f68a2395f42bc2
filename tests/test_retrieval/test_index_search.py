import faiss
import numpy as np
import pytest
from web_memory import ENCODER, write_store

from ltvl_mm.retrieval.search.index_search import (
    load_index,
    make_contrastive_queries,
    select_by_index,
)
from ltvl_mm.retrieval.search.search_spec import SearchOptions
from ltvl_mm.retrieval.search.selection import Selection, select_images
from ltvl_mm.structures.class_queries import ClassQueries

DIM = 16


def _normalize(x):
    return x / np.linalg.norm(x, axis=1, keepdims=True)


@pytest.fixture
def world(tmp_path):
    """Return a store, class queries, and the file of a faiss index."""
    rng = np.random.default_rng(0)
    classes = _normalize(rng.normal(size=(6, DIM)) + 1)
    images = (
        rng.normal(size=(600, DIM)) + 2 * classes[rng.integers(6, size=600)]
    )
    images = _normalize(images).astype(np.float16)
    store = write_store(tmp_path / 'store', np.split(images, [100, 350]))
    names = tuple(f'class {k}' for k in range(6))
    queries = ClassQueries(names, ('{}',), classes.astype('f4'), ENCODER)
    index = faiss.IndexFlatIP(DIM)
    index.add(images.astype(np.float32))
    faiss.write_index(index, str(tmp_path / 'knn.index'))
    return store, queries, tmp_path / 'knn.index'


def test_contrastive_queries_by_hand():
    x = np.array([[1.0, 0], [0, 1], [-1, 0]])
    # Two classes remain for each: their mean and the mean of all, halved.
    expected = x - ((x.sum(0) - x) / 2 + x.mean(0)) / 2
    np.testing.assert_allclose(
        make_contrastive_queries(x), expected.astype('f4')
    )


def test_a_generous_index_gives_the_exact_answer(world, caplog):
    store, queries, file = world
    budget = np.array([20, 0, 5, 20, 1, 20])
    selection = Selection(
        store, queries, budget, SearchOptions(temperature=0.05)
    )
    found = select_by_index(selection, load_index(file, store), 30)
    exact = select_images(
        store, queries, budget, SearchOptions(temperature=0.05)
    )
    for few, all_of_them in zip(found, exact, strict=True):
        assert few.rows.tolist() == all_of_them.rows.tolist()
        assert few.scores.tolist() == all_of_them.scores.tolist()


KINDS = {
    # Faiss's names: cells of an inverted file, compressed vectors, a rotation
    # before both, a graph.
    'IVF8,PQ8': 'nprobe=8',
    'OPQ8,IVF8,PQ8': 'nprobe=8',
    'HNSW16': 'efSearch=600',
}


@pytest.mark.parametrize('kind', KINDS)
def test_an_approximate_index_searched_through_gives_nearly_all(world, kind):
    store, queries, file = world
    index = faiss.index_factory(DIM, kind, faiss.METRIC_INNER_PRODUCT)
    faiss.ParameterSpace().set_index_parameter(index, 'verbose', 0)
    images = store.read_rows(np.arange(len(store)))
    index.train(images)
    index.add(images)
    faiss.write_index(index, str(file))
    budget = np.full(6, 10)
    exact = select_images(
        store, queries, budget, SearchOptions(temperature=0.05)
    )

    def measure(parameters):
        selection = Selection(
            store, queries, budget, SearchOptions(temperature=0.05)
        )
        found = select_by_index(
            selection, load_index(file, store), 30, parameters=parameters
        )
        for few, all_of_them in zip(found, exact, strict=True):
            # What is found is ranked exactly.
            scores = dict(
                zip(all_of_them.rows, all_of_them.scores, strict=True)
            )
            for row, score in zip(few.rows, few.scores, strict=True):
                assert scores.get(row, score) == score
        return np.mean(
            [
                np.isin(all_of_them.rows, few.rows).mean()
                for few, all_of_them in zip(found, exact, strict=True)
            ]
        )

    assert measure(KINDS[kind]) > 0.95
    assert measure(None) > 0.95


def test_the_thoroughness_decides_what_is_found(world):
    store, queries, file = world
    index = faiss.index_factory(DIM, 'IVF32,Flat', faiss.METRIC_INNER_PRODUCT)
    images = store.read_rows(np.arange(len(store)))
    index.train(images)
    index.add(images)
    faiss.write_index(index, str(file))
    budget = np.full(6, 10)
    exact = select_images(
        store, queries, budget, SearchOptions(temperature=0.05)
    )

    def count(parameters):
        selection = Selection(
            store, queries, budget, SearchOptions(temperature=0.05)
        )
        found = select_by_index(
            selection, load_index(file, store), 60, parameters=parameters
        )
        return sum(
            np.isin(all_of_them.rows, few.rows).sum()
            for few, all_of_them in zip(found, exact, strict=True)
        )

    # load_index itself needs a default that finds images at their rows.
    assert count('nprobe=1') < count('nprobe=32') == 60


def test_parameters_of_another_kind_of_index_are_refused(world):
    store, queries, file = world
    selection = Selection(
        store, queries, np.ones(6), SearchOptions(temperature=0.05)
    )
    index = load_index(file, store)
    with pytest.raises(ValueError, match="does not take 'nprobe=8'"):
        select_by_index(selection, index, 3, parameters='nprobe=8')


def test_candidates_by_cosine_are_not_those_by_probability(world):
    store, queries, file = world
    budget = np.full(6, 20)
    selection = Selection(
        store, queries, budget, SearchOptions(temperature=0.05)
    )
    found = select_by_index(selection, load_index(file, store), 1)
    exact = select_images(
        store, queries, budget, SearchOptions(temperature=0.05)
    )
    recall = np.mean(
        [
            np.isin(all_of_them.rows, few.rows).mean()
            for few, all_of_them in zip(found, exact, strict=True)
        ]
    )
    assert 0.5 < recall < 1


def test_an_index_proposes_only_what_is_kept(world):
    store, queries, file = world
    selection = Selection(
        store,
        queries,
        np.full(6, 10),
        SearchOptions(
            temperature=0.05,
            keep_rows=lambda start, stop: np.arange(start, stop) % 2 == 0,
        ),
    )
    for best in select_by_index(selection, load_index(file, store), 30):
        assert len(best.rows) == 10
        assert (best.rows % 2 == 0).all()


def test_an_index_in_another_order_is_refused(world):
    store, _, file = world
    index = faiss.IndexFlatIP(DIM)
    index.add(store.read_rows(np.arange(600)[::-1].copy()))
    faiss.write_index(index, str(file))
    with pytest.raises(ValueError, match='another order'):
        load_index(file, store)


def test_an_index_of_other_images_is_refused(world):
    store, _, file = world
    index = faiss.IndexFlatIP(DIM)
    index.add(store.read_rows(np.arange(599)))
    faiss.write_index(index, str(file))
    with pytest.raises(ValueError, match='599 images of width 16, the store'):
        load_index(file, store)


def test_a_file_that_is_no_index_is_named(world):
    store, _, file = world
    file.write_bytes(b'not an index')
    with pytest.raises(ValueError, match=r'knn\.index is not a faiss index'):
        load_index(file, store)


def test_the_factor_is_at_least_one(world):
    store, queries, file = world
    selection = Selection(
        store, queries, np.ones(6), SearchOptions(temperature=0.05)
    )
    with pytest.raises(ValueError, match='must be >= 1, got 0'):
        select_by_index(selection, load_index(file, store), 0)

"""The exact engine against a sort of all scores, on what could break it."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from web_memory import ENCODER, write_store

from ltvl_mm.retrieval.search import (
    scan,
    search_spec,
    selection,
    store_sample,
)
from ltvl_mm.retrieval.search.exact_products import multiply_exactly
from ltvl_mm.retrieval.search.scores import compute_scores
from ltvl_mm.retrieval.search.search_spec import SearchOptions
from ltvl_mm.retrieval.search.selection import Selection
from ltvl_mm.structures.class_queries import ClassQueries

DIM = 16


def _normalize(x):
    return x / np.linalg.norm(x, axis=1, keepdims=True)


def _draw(rng, rows, classes, kind):
    """Return images and queries of a kind that has broken such code."""
    queries = _normalize(rng.normal(size=(classes, DIM)))
    images = _normalize(rng.normal(size=(rows, DIM)))
    if kind == 'near classes':  # most images lean to few of them
        images += 2 * queries[rng.geometric(0.3, rows) % classes]
    elif kind == 'duplicates':
        images = images[rng.integers(max(1, rows // 5), size=rows)]
    elif kind == 'one image':
        images[:] = images[0]
    elif kind == 'equal classes':
        queries[:] = queries[0]
    elif kind == 'two alike':
        queries[classes // 2 :] = queries[0]
    elif kind == 'sorted':
        images += 2 * queries[np.sort(rng.integers(classes, size=rows))]
    elif kind == 'outliers':
        images[:: max(1, rows // 3)] += 30 * np.eye(1, DIM)
    return _normalize(images), queries


def _make_queries(queries):
    names = tuple(f'class {k}' for k in range(len(queries)))
    return ClassQueries(names, ('{}',), queries.astype('f4'), ENCODER)


def _sort_all(images, queries, budget, temperature, score, assign):
    cosines = multiply_exactly(images, queries.embeddings.astype(float))
    scores = compute_scores(cosines, temperature=temperature, score=score)
    best = cosines.argmax(1)
    found = []
    for k, count in enumerate(budget):
        rows = np.arange(len(images))
        if assign == 'argmax':
            rows = rows[best == k]
        order = np.lexsort([rows, -scores[rows, k]])[:count]
        found.append((rows[order], scores[rows[order], k]))
    return found


@pytest.fixture
def small(monkeypatch):
    """Make every path of large stores a path of small ones."""
    for module, name, value in (
        (search_spec, '_CHUNK_NUMBERS', 900),
        (scan, '_WAITING', 5),
        (selection, '_LARGE', 60),
        (store_sample, '_SAMPLE_ROWS', 64),
        (store_sample, '_SAMPLE_RUN', 4),
        (selection, '_RUN', 50),
    ):
        monkeypatch.setattr(module, name, value)


KINDS = (
    'plain',
    'near classes',
    'duplicates',
    'one image',
    'equal classes',
    'two alike',
    'sorted',
    'outliers',
)


@pytest.mark.parametrize('kind', KINDS)
def test_the_selection_is_a_sort_of_all_scores(tmp_path_factory, small, kind):
    @settings(max_examples=12, deadline=None, derandomize=True)
    @given(
        seed=st.integers(0, 10**6),
        rows=st.integers(1, 400),
        classes=st.sampled_from([1, 2, 3, 17, 70, 129]),
        most=st.sampled_from([0, 1, 7, 60]),
        temperature=st.sampled_from([1e-3, 1e-2, 0.1, 1.0]),
        score=st.sampled_from(['softmax', 'softmax', 'cosine', 'margin']),
        assign=st.sampled_from(['independent', 'independent', 'argmax']),
        dtype=st.sampled_from([np.float16, np.float32]),
        product=st.sampled_from(['float32', 'bfloat16']),
    )
    def check(
        *,
        seed,
        rows,
        classes,
        most,
        temperature,
        score,
        assign,
        dtype,
        product,
    ):
        rng = np.random.default_rng(seed)
        images, embeddings = _draw(rng, rows, classes, kind)
        images = images.astype(dtype)
        if classes == 1:
            score = 'cosine'
        queries = _make_queries(embeddings)
        budget = rng.integers(0, most + 1, size=classes)
        cuts = np.sort(rng.integers(0, rows + 1, size=2))
        store = write_store(
            tmp_path_factory.mktemp('store'), np.split(images, cuts)
        )
        options = dict(temperature=temperature, score=score, assign=assign)
        selection = Selection(
            store, queries, budget, SearchOptions(**options, product=product)
        )
        middle = int(rng.integers(rows + 1))
        pools = [selection.make_pool(), selection.make_pool()]
        selection.scan(pools[0], 0, middle)
        selection.scan(pools[1], middle, rows)
        pools[1].merge(pools[0])
        found = selection.finish(pools[1])
        wanted = _sort_all(images, queries, budget, **options)
        for best, (expected, scores) in zip(found, wanted, strict=True):
            assert best.rows.tolist() == expected.tolist()
            assert best.scores.tolist() == scores.tolist()

    check()


def test_a_floor_that_was_too_high_is_noticed(tmp_path, small):
    rng = np.random.default_rng(0)
    images, embeddings = _draw(rng, 300, 5, 'plain')
    store = write_store(tmp_path, [images.astype('f2')])
    queries, budget = _make_queries(embeddings), np.array([20, 0, 20, 20, 20])
    selection = Selection(
        store, queries, budget, SearchOptions(temperature=0.01)
    )
    selection.floor = np.full(5, 3.0)
    pool = selection.make_pool()
    selection.scan(pool)
    wanted = _sort_all(
        images.astype('f2'), queries, budget, 0.01, 'softmax', 'independent'
    )
    for best, (rows, _) in zip(selection.finish(pool), wanted, strict=True):
        assert best.rows.tolist() == rows.tolist()


def test_only_kept_images_are_found(tmp_path, small):
    rng = np.random.default_rng(1)
    images, embeddings = _draw(rng, 300, 5, 'plain')
    store = write_store(tmp_path, np.split(images.astype('f2'), 3))
    selection = Selection(
        store,
        _make_queries(embeddings),
        np.full(5, 30),
        SearchOptions(
            temperature=0.01,
            keep_rows=lambda start, stop: np.arange(start, stop) % 3 == 0,
        ),
    )
    pool = selection.make_pool()
    selection.scan(pool)
    for best in selection.finish(pool):
        assert len(best.rows) == 30
        assert (best.rows % 3 == 0).all()


@pytest.mark.parametrize('pools', [1, 4])
def test_filters_and_pieces_need_no_second_look(
    tmp_path, small, monkeypatch, pools
):
    # What is refused was looked at, too: of the rest as much is to come.
    monkeypatch.setattr(Selection, '_scan_again', None)
    rng = np.random.default_rng(2)
    images, embeddings = _draw(rng, 4000, 5, 'plain')
    selection = Selection(
        write_store(tmp_path, [images.astype('f2')]),
        _make_queries(embeddings),
        np.full(5, 60),
        SearchOptions(
            temperature=0.01,
            keep_rows=lambda start, stop: np.arange(start, stop) % 4 == 0,
        ),
    )
    assert selection.mixed
    pool = selection.make_pool()
    for start in range(0, 4000, 4000 // pools):
        selection.scan(pool, start, start + 4000 // pools)
    assert pool.seen == 4000
    assert all(len(best.rows) == 60 for best in selection.finish(pool))


def test_the_best_of_a_sample_are_a_sort_of_its_scores(tmp_path, small):
    rng = np.random.default_rng(3)
    images, embeddings = _draw(rng, 4000, 3, 'plain')
    images, queries = images.astype('f2'), _make_queries(embeddings)
    store = write_store(tmp_path, [images])
    search = Selection(
        store, queries, np.full(3, 1000), SearchOptions(temperature=0.01)
    )
    search.mixed = True  # as in a store in random order
    rows, _, share = store_sample.read_sample(search.spec)
    assert share == len(rows) / 4000
    wanted = _sort_all(
        images[rows], queries, [16] * 3, 0.01, 'softmax', 'independent'
    )
    for best, (expected, _) in zip(
        search.select_sample(), wanted, strict=True
    ):
        assert best.rows.tolist() == rows[expected].tolist()


def test_ties_do_not_fill_the_memory(tmp_path, small):
    same = np.tile(np.eye(1, DIM), (2000, 1)).astype('f2')
    store = write_store(tmp_path, [same])
    selection = Selection(
        store,
        _make_queries(np.eye(3, DIM)),
        np.array([5, 0, 2]),
        SearchOptions(temperature=0.01),
    )
    pool = selection.make_pool()
    selection.scan(pool)
    assert len(pool.rows) < 300
    assert selection.finish(pool)[0].rows.tolist() == [0, 1, 2, 3, 4]


def test_cosines_do_not_depend_on_the_order_of_the_sum():
    rng = np.random.default_rng(0)
    images = _normalize(rng.normal(size=(50, 512)))
    queries = _ask_wide(rng).embeddings.astype(float)
    order = rng.permutation(512)
    for dtype in (np.float16, np.float32):
        some = images.astype(dtype)
        whole = multiply_exactly(some, queries)
        assert np.array_equal(
            whole, multiply_exactly(some[:, order], queries[:, order])
        )
        assert np.array_equal(whole[7:8], multiply_exactly(some[7:8], queries))
        np.testing.assert_allclose(
            whole, some.astype(float) @ queries.T, atol=1e-14
        )


def _ask_wide(rng):
    queries = _normalize(rng.normal(size=(9, 512)))
    return ClassQueries(tuple('abcdefghi'), ('{}',), queries, ENCODER)

from dataclasses import replace

import numpy as np
import pytest
from web_memory import ENCODER, write_store

from ltvl_mm.retrieval.search import search_spec
from ltvl_mm.retrieval.search.search_spec import SearchOptions
from ltvl_mm.retrieval.search.selection import select_images
from ltvl_mm.structures.class_queries import ClassQueries
from ltvl_mm.structures.store_parts import locate_part

WIDTH = 8


def _unit(rng, rows):
    x = rng.normal(size=(rows, WIDTH))
    return x / np.linalg.norm(x, axis=1, keepdims=True)


def _make_queries(embeddings):
    names = tuple(f'class {k}' for k in range(len(embeddings)))
    return ClassQueries(names, ('{}',), embeddings.astype('f4'), ENCODER)


def _score_slowly(cosines, temperature):
    x = cosines / temperature
    scores = np.empty_like(x)
    for k in range(x.shape[1]):
        rivals = np.delete(x, k, 1)
        top = rivals.max(1)
        rest = top + np.log(np.exp(rivals - top[:, None]).sum(1))
        scores[:, k] = x[:, k] - rest
    return scores.round(9)


def _select_slowly(matrix, queries, budget, temperature, assign):
    cosines = matrix.astype(float) @ queries.embeddings.astype(float).T
    scores = _score_slowly(cosines, temperature)
    rows = []
    for k, count in enumerate(budget):
        pool = range(len(matrix))
        if assign == 'argmax':
            pool = [row for row in pool if cosines[row].argmax() == k]
        rows.append(sorted(pool, key=lambda i: (-scores[i, k], i))[:count])
    return rows, cosines, scores


@pytest.mark.parametrize('chunk', [1, 40, 10**6])
@pytest.mark.parametrize('assign', ['independent', 'argmax'])
@pytest.mark.parametrize('seed', range(4))
def test_the_selection_equals_a_sort_of_all_scores(
    tmp_path, monkeypatch, seed, assign, chunk
):
    monkeypatch.setattr(search_spec, '_CHUNK_NUMBERS', chunk)
    rng = np.random.default_rng(seed)
    x = _unit(rng, 100).astype(np.float16)
    x[rng.choice(100, 40)] = x[7]  # many ties, in every part
    parts = np.split(x, [33, 33, 34, 90])  # one is empty, one has one row
    queries = _make_queries(_unit(rng, 5))
    budget = np.array([0, 1, 17, 100, 250])
    found = select_images(
        write_store(tmp_path, parts),
        queries,
        budget,
        SearchOptions(temperature=0.05, assign=assign),
    )
    rows, cosines, scores = _select_slowly(x, queries, budget, 0.05, assign)
    for k, best in enumerate(found):
        assert best.rows.tolist() == rows[k]
        np.testing.assert_allclose(best.scores, scores[rows[k], k], atol=2e-9)
        np.testing.assert_allclose(best.cosines, cosines[rows[k], k])


def test_chunks_do_not_change_a_bit(tmp_path, monkeypatch):
    rng = np.random.default_rng(0)
    store = write_store(tmp_path, [_unit(rng, 50).astype('f2')] * 2)
    queries, budget = _make_queries(_unit(rng, 3)), np.array([20, 20, 20])
    found = []
    for chunk in (3 * 7, 10**6):
        monkeypatch.setattr(search_spec, '_CHUNK_NUMBERS', chunk)
        found.append(
            select_images(
                store, queries, budget, SearchOptions(temperature=0.01)
            )
        )
    for few, many in zip(*found, strict=True):
        assert np.array_equal(few.rows, many.rows)
        assert np.array_equal(few.scores, many.scores)


def test_equal_images_come_in_the_order_of_their_rows(tmp_path):
    same = np.tile(np.eye(1, WIDTH), (5, 1)).astype('f2')
    store = write_store(tmp_path, [same, same])
    found = select_images(
        store,
        _make_queries(np.eye(2, WIDTH)),
        np.array([7, 2]),
        SearchOptions(temperature=0.01),
    )
    assert found[0].rows.tolist() == [0, 1, 2, 3, 4, 5, 6]
    assert found[1].rows.tolist() == [0, 1]


def test_argmax_gives_an_image_to_its_best_class_only(tmp_path):
    x = np.eye(2, WIDTH)
    store = write_store(tmp_path, [x.astype('f2')])
    options = dict(temperature=0.01, assign='argmax')
    found = select_images(
        store, _make_queries(x), np.array([2, 2]), SearchOptions(**options)
    )
    assert [best.rows.tolist() for best in found] == [[0], [1]]


def test_the_score_can_be_chosen(tmp_path):
    # Row 0 is nearer to class 0, but row 1 is further from class 1.
    x = np.zeros((2, WIDTH))
    x[:, :3] = [[0.8, 0.6, 0], [0.7, 0, np.sqrt(0.51)]]
    store = write_store(tmp_path, [x.astype('f2')])
    queries, budget = _make_queries(np.eye(2, WIDTH)), np.array([1, 0])
    best = {
        score: select_images(
            store,
            queries,
            budget,
            SearchOptions(temperature=0.01, score=score),
        )[0].rows.tolist()
        for score in ('cosine', 'softmax')
    }
    assert best == {'cosine': [0], 'softmax': [1]}


@pytest.mark.parametrize('value', [np.nan, 0.0, 0.9])
def test_a_row_that_is_not_of_unit_norm_is_named(tmp_path, value):
    x = _unit(np.random.default_rng(0), 6).astype('f2')
    store = write_store(tmp_path, [x, x])
    x[4] = value * np.eye(1, WIDTH)[0]
    np.save(locate_part(tmp_path, 'img_emb', 1, 2), x)
    message = r"part 'shard-1', row 4: norm .* of key '1/4'"
    with pytest.raises(ValueError, match=message):
        select_images(
            store,
            _make_queries(x[:2]),
            np.array([1, 1]),
            SearchOptions(temperature=0.01),
        )


@pytest.fixture
def store(tmp_path):
    return write_store(tmp_path, [np.eye(3, WIDTH, dtype=np.float16)])


def test_a_store_of_another_encoder_is_refused(store):
    other = replace(_make_queries(np.eye(2, WIDTH)), encoder={'arch': 'x'})
    with pytest.raises(ValueError, match='different encoders'):
        select_images(
            store, other, np.array([1, 1]), SearchOptions(temperature=0.01)
        )


def test_a_store_of_another_width_is_refused(store):
    with pytest.raises(
        ValueError, match='queries of width 5 for a store of width 8'
    ):
        select_images(
            store,
            _make_queries(np.eye(2, 5)),
            np.array([1, 1]),
            SearchOptions(temperature=0.01),
        )


def test_an_unknown_assignment_is_refused(store):
    with pytest.raises(ValueError, match=r"assign must be one of .*'both'"):
        select_images(
            store,
            _make_queries(np.eye(2, WIDTH)),
            np.array([1, 1]),
            SearchOptions(temperature=0.01, assign='both'),
        )

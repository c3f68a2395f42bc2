import numpy as np
import pytest
from web_memory import ENCODER, write_store

from ltvl_mm.retrieval.search.candidate_pool import load_pool, save_pool
from ltvl_mm.retrieval.search.search_spec import SearchOptions
from ltvl_mm.retrieval.search.selection import Selection
from ltvl_mm.retrieval.search.work_units import cut_units, select_in_units
from ltvl_mm.structures.class_queries import ClassQueries

SIZES = (4, 0, 3, 3, 9, 1)


def _unit(rng, rows):
    x = rng.normal(size=(rows, 8))
    return x / np.linalg.norm(x, axis=1, keepdims=True)


@pytest.fixture
def selection(tmp_path):
    rng = np.random.default_rng(0)
    x = _unit(rng, 20).astype('f2')
    x[[3, 8, 9, 15, 19]] = x[0]  # ties across units
    parts = np.split(x, np.cumsum(SIZES)[:-1])
    queries = ClassQueries(
        ('a', 'b', 'c'), ('{}',), _unit(rng, 3).astype('f4'), ENCODER
    )
    store = write_store(tmp_path / 'store', parts)
    return Selection(
        store, queries, np.array([4, 0, 9]), SearchOptions(temperature=0.1)
    )


@pytest.mark.parametrize(
    ('rows', 'ends'),
    [
        (7, [7, 10, 17, 20]),  # parts together, and one cut
        (3, [3, 4, 7, 10, 13, 16, 19, 20]),
        (1, list(range(1, 21))),
        (20, [20]),
        (99, [20]),
    ],
)
def test_units_are_whole_parts_where_these_fit(selection, rows, ends):
    units = cut_units(selection.store, rows)
    assert [unit.stop for unit in units] == ends
    assert [unit.start for unit in units] == [0, *ends[:-1]]


def test_a_unit_has_rows(selection):
    with pytest.raises(ValueError, match='at least 1 row, got 0'):
        cut_units(selection.store, 0)


@pytest.mark.parametrize('rows', [1, 3, 7, 20])
def test_units_find_what_a_whole_pass_finds(selection, tmp_path, rows):
    pool = selection.make_pool()
    selection.scan(pool)
    due = selection.finish(pool)
    found = select_in_units(selection, tmp_path / 'units', unit_rows=rows)
    for one, other in zip(found, due, strict=True):
        assert np.array_equal(one.rows, other.rows)
        assert np.array_equal(one.scores, other.scores)
        assert np.array_equal(one.cosines, other.cosines)


def test_a_saved_pool_is_the_same(selection, tmp_path):
    pool = selection.make_pool()
    pool.raise_floor(np.array([-1.0, -np.inf, 0.5]))
    selection.scan(pool)
    save_pool(tmp_path / 'pool.npz', pool)
    again = load_pool(tmp_path / 'pool.npz')
    for name in ('budget', 'rows', 'labels', 'scores', 'counts', 'floor'):
        found, due = getattr(again, name), getattr(pool, name)
        assert found.dtype == due.dtype
        assert np.array_equal(found, due)
    assert again.tolerance == pool.tolerance
    assert np.array_equal(again.thresholds, pool.thresholds)


def test_a_file_of_something_else_is_no_pool(tmp_path):
    for content in (b'', b'no zip', b'\x80\x04N.'):
        (tmp_path / 'pool.npz').write_bytes(content)
        with pytest.raises(ValueError, match=r'is not a pool .*delete it'):
            load_pool(tmp_path / 'pool.npz')

"""Rows that are not of unit norm are skipped in every search path."""

import json

import faiss
import numpy as np
import pytest
import torch
from web_memory import ENCODER, draw, embed, encode, write_store, write_tar

from ltvl_mm.retrieval.reading.shards import find_shards
from ltvl_mm.retrieval.run_retrieval import run_retrieval
from ltvl_mm.retrieval.search import selection
from ltvl_mm.retrieval.search.index_search import load_index, select_by_index
from ltvl_mm.retrieval.search.search_spec import SearchOptions
from ltvl_mm.retrieval.search.selection import Selection
from ltvl_mm.retrieval.task import RetrievalOptions, RetrievalTask
from ltvl_mm.structures.class_queries import ClassQueries
from ltvl_mm.structures.store_files import map_matrix
from ltvl_mm.structures.store_rows import find_bad_rows

DIM = 8
BAD = {3: np.nan, 40: np.inf, 41: 0.0, 77: -np.inf, 119: 2.0}
GOOD = np.setdiff1d(np.arange(120), list(BAD))


def _unit(rng, rows):
    x = rng.normal(size=(rows, DIM))
    return x / np.linalg.norm(x, axis=1, keepdims=True)


def _spoil(store, bad):
    """Write wrong values into a store's files, as a foreign tool may."""
    for row, value in bad.items():
        for part in store.parts:
            if row < part.rows:
                matrix = np.load(part.matrix)
                matrix[row, :2] = value
                np.save(part.matrix, matrix)
                break
            row -= part.rows


@pytest.fixture
def world(tmp_path):
    """Return a store with bad rows, one without them, and class queries."""
    rng = np.random.default_rng(0)
    x = _unit(rng, 120).astype('f2')
    queries = ClassQueries(
        ('a', 'b', 'c'), ('{}',), _unit(rng, 3).astype('f4'), ENCODER
    )
    # Bad rows would be the best of a class if they were compared.
    x[list(BAD)] = queries.embeddings[0]
    store = write_store(tmp_path / 'bad', np.split(x, [50, 90]))
    good = [
        n[~np.isin(n, list(BAD))] for n in np.split(np.arange(120), [50, 90])
    ]
    clean = write_store(tmp_path / 'clean', [x[rows] for rows in good])
    _spoil(store, BAD)
    return store, clean, queries


def _select(store, queries, **options):
    selection = Selection(
        store,
        queries,
        np.array([9, 0, 120]),
        SearchOptions(temperature=0.1, **options),
    )
    pool = selection.make_pool()
    for start, stop in ((0, 45), (45, len(store))):
        piece = selection.make_pool()
        selection.scan(piece, start, stop)
        selection.merge(pool, piece)
    return selection.finish(pool), selection.skipped


@pytest.mark.parametrize('assign', ['independent', 'argmax'])
@pytest.mark.parametrize('large', [False, True])
def test_the_result_is_that_of_a_store_without_them(
    world, monkeypatch, assign, large
):
    store, clean, queries = world
    if large:  # with a floor from a sample
        monkeypatch.setattr(selection, '_LARGE', 0)
    options = dict(assign=assign, max_bad_rows=0.05)
    found, skipped = _select(store, queries, **options)
    due, none = _select(clean, queries, **options)
    assert skipped.tolist() == sorted(BAD) == find_bad_rows(store).tolist()
    assert none.tolist() == []
    for one, other in zip(found, due, strict=True):
        assert one.rows.tolist() == GOOD[other.rows].tolist()
        assert one.scores.tolist() == other.scores.tolist()


def test_an_index_never_gives_them(world, tmp_path):
    store, clean, queries = world
    index = faiss.IndexFlatIP(DIM)
    index.add(np.nan_to_num(store.read_rows(np.arange(120))))
    faiss.write_index(index, str(tmp_path / 'i'))
    found = {}
    for name, one, rows in (('bad', store, 120), ('clean', clean, 115)):
        if name == 'clean':
            index = faiss.IndexFlatIP(DIM)
            index.add(clean.read_rows(np.arange(115)))
            faiss.write_index(index, str(tmp_path / 'i'))
        selection = Selection(
            one,
            queries,
            np.array([9, 0, rows]),
            SearchOptions(temperature=0.1, max_bad_rows=0.05),
        )
        loaded = load_index(tmp_path / 'i', one)
        found[name] = select_by_index(selection, loaded, 99)
    for one, other in zip(found['bad'], found['clean'], strict=True):
        assert one.rows.tolist() == GOOD[other.rows].tolist()
        assert one.scores.tolist() == other.scores.tolist()


def test_more_than_the_limit_are_an_error_that_names_the_first(world):
    store, _, queries = world
    message = (
        r"part 'shard-0', row 3: norm nan of key '0/3' where 1 is due\. .* of "
        r'the 120 rows of .*bad are like this, and at most 4 % are skipped'
    )
    with np.errstate(all='ignore'), pytest.raises(ValueError, match=message):
        _select(store, queries, max_bad_rows=0.04)


@pytest.mark.parametrize('unit_rows', [7, 1000])
def test_they_are_counted_and_listed(world, tmp_path, unit_rows):
    store, _, queries = world
    held_out = write_store(
        tmp_path / 'held_out', [np.eye(DIM, dtype='f2')[2:]]
    )
    _spoil(held_out, {5: np.inf})
    task = RetrievalTask(
        store,
        queries,
        np.array([5, 5, 5]),
        [held_out],
        RetrievalOptions(temperature=0.1, copy='none'),
        unit_rows=unit_rows,
        verify=False,
        max_bad_rows=0.2,
    )
    run_retrieval(task, tmp_path / 'out')
    report = json.loads((tmp_path / 'out' / 'report.json').read_text())
    assert report['skipped_rows'] == [
        {
            'store': str(store.root),
            'rows': 5,
            'first_keys': ['0/3', '0/40', '0/41', '1/27', '2/29'],
        },
        {'store': str(held_out.root), 'rows': 1, 'first_keys': ['0/5']},
    ]
    assert report['copies_of_excluded_images'] == 0


def test_too_many_bad_test_images_are_an_error_before_the_scan(
    world, tmp_path
):
    _, clean, queries = world
    held_out = write_store(tmp_path / 'held_out', [np.eye(DIM, dtype='f2')])
    _spoil(held_out, {5: np.nan})
    options = RetrievalOptions(temperature=0.1, copy='none')
    task = RetrievalTask(
        clean, queries, np.ones(3, int), [held_out], options, verify=False
    )
    with pytest.raises(ValueError, match=r"'0/5' where 1 is due\. 1 or more"):
        run_retrieval(task, tmp_path / 'out')
    assert not (tmp_path / 'out' / 'selection').exists()


@pytest.mark.parametrize('share', [-0.1, 1.1, float('nan')])
def test_the_limit_is_a_share(world, share):
    store, _, queries = world
    options = RetrievalOptions(temperature=0.01, copy='none')
    with pytest.raises(ValueError, match=r'max_bad_rows must be in \[0, 1\]'):
        RetrievalTask(
            store, queries, np.ones(3), [], options, max_bad_rows=share
        )


def test_an_image_with_a_nan_embedding_is_listed_as_bad(tmp_path):
    tar = write_tar(
        tmp_path / '0.tar', [(f'{n}.png', draw(n)) for n in (0, 9, 20)]
    )

    def overflow(images):
        found = encode(images)
        found[images.sum((1, 2, 3)) == 0] = torch.nan  # the black one
        return found

    store = embed(find_shards([str(tar)]), tmp_path / 'x', overflow)
    assert store.read_metadata(np.arange(2))['image_path'] == ['0/9', '0/20']
    assert store.parts[0].bad == (
        ('0/0', 'its embedding has norm nan, where 1 is expected'),
    )
    assert map_matrix(store.parts[0].matrix).shape == (2, 4)


def test_an_encoder_that_overflows_is_an_error(tmp_path):
    tar = write_tar(
        tmp_path / '0.tar', [(f'{n}.png', draw(n)) for n in (0, 9, 20)]
    )
    with pytest.raises(ValueError, match='does the encoder overflow'):
        embed(
            find_shards([str(tar)]),
            tmp_path / 'x',
            lambda images: encode(images) * torch.nan,
        )


# Numbers of an index.


@pytest.mark.parametrize(
    ('numbers', 'message'),
    [
        (np.arange(115) + 1, r'numbers an image 115, where .* 0 to 114'),
        (np.arange(115) - 1, r'numbers an image -1, where'),
        (np.arange(115) // 2, 'numbers several images alike'),
    ],
)
@pytest.mark.parametrize('kind', ['Flat', 'HNSW8'])
def test_an_index_with_other_numbers_is_refused(
    world, tmp_path, numbers, message, kind
):
    _, clean, _ = world
    index = faiss.index_factory(
        DIM, f'IDMap,{kind}', faiss.METRIC_INNER_PRODUCT
    )
    index.add_with_ids(clean.read_rows(np.arange(115)), numbers)
    faiss.write_index(index, str(tmp_path / 'i'))
    with pytest.raises(ValueError, match=message):
        load_index(tmp_path / 'i', clean)


def test_numbers_inside_an_inverted_file_are_found_by_a_search(
    world, tmp_path
):
    _, clean, _ = world
    images = clean.read_rows(np.arange(115))
    index = faiss.index_factory(DIM, 'IVF1,Flat', faiss.METRIC_INNER_PRODUCT)
    index.train(images)
    index.add_with_ids(images, np.arange(115) + 1000)
    faiss.write_index(index, str(tmp_path / 'i'))
    with pytest.raises(ValueError, match=r'returns the image 1\d+, but holds'):
        load_index(tmp_path / 'i', clean)

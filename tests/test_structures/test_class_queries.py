from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from ltvl_mm.structures.class_queries import (
    ClassQueries,
    load_queries,
    save_queries,
)
from ltvl_mm.structures.embedding_store import EmbeddingStore

ENCODER = {'arch': 'a', 'weights': 'w', 'preprocess': 'p'}
QUERIES = ClassQueries(
    ('cat', 'dog'), ('a {}',), np.eye(2, 3, dtype=np.float32), ENCODER
)
STORE = EmbeddingStore(Path('memory'), ENCODER, 3, ())


def test_saved_queries_are_the_same(tmp_path):
    x = np.random.default_rng(0).normal(size=(2, 3))
    x = (x / np.linalg.norm(x, axis=1, keepdims=True)).astype(np.float32)
    queries = replace(QUERIES, class_names=('chat', 'Öwl\n'), embeddings=x)
    save_queries(tmp_path / 'queries.npz', queries)
    again = load_queries(tmp_path / 'queries.npz')
    assert again.fingerprint == queries.fingerprint != QUERIES.fingerprint
    assert np.array_equal(again.embeddings, queries.embeddings)
    assert (again.class_names, again.templates, again.encoder) == (
        queries.class_names,
        queries.templates,
        queries.encoder,
    )


def test_templates_per_class_stay_tuples(tmp_path):
    templates = (('a {}', 'one {}'), ('two {}',))
    save_queries(tmp_path / 'q.npz', replace(QUERIES, templates=templates))
    assert load_queries(tmp_path / 'q.npz').templates == templates


def test_a_file_of_something_else_holds_no_queries(tmp_path):
    for content in (b'', b'no zip', b'\x80\x04N.'):
        (tmp_path / 'queries.npz').write_bytes(content)
        with pytest.raises(ValueError, match='holds no class queries'):
            load_queries(tmp_path / 'queries.npz')


def test_there_is_one_embedding_per_name():
    with pytest.raises(ValueError, match='2 class embeddings for 3 names'):
        replace(QUERIES, class_names=('cat', 'dog', 'cow'))


@pytest.mark.parametrize('row', [[0, 0, 0], [2, 0, 0], [np.nan, 0, 0]])
def test_embeddings_are_normalized(row):
    embeddings = np.array([[1, 0, 0], row], np.float32)
    with pytest.raises(ValueError, match='must be L2-normalized, got norms'):
        replace(QUERIES, embeddings=embeddings)


def test_a_store_of_the_same_encoder_is_accepted():
    QUERIES.check_store(STORE)


@pytest.mark.parametrize(
    ('change', 'name'),
    [({'weights': 'x'}, 'weights'), ({'extra': 'x'}, 'extra')],
)
def test_a_store_of_another_encoder_is_refused(change, name):
    store = replace(STORE, encoder=ENCODER | change)
    with pytest.raises(
        ValueError, match=f'different encoders: {name} is .x. in the store'
    ):
        QUERIES.check_store(store)


def test_a_store_whose_encoder_says_less_is_refused():
    with pytest.raises(ValueError, match='arch is None in the store'):
        QUERIES.check_store(replace(STORE, encoder={'weights': 'w'}))

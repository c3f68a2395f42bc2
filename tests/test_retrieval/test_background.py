"""Names that compete in the softmax and get no images."""

import json

import numpy as np
import pytest
from web_memory import ENCODER, write_store

from ltvl_mm.retrieval.background_names import (
    find_same_names,
    find_synonyms,
    load_builtin_names,
    mask_repeated_names,
    resolve_auto,
    thin_templates,
)
from ltvl_mm.retrieval.run_retrieval import run_retrieval
from ltvl_mm.retrieval.search.scores import compute_scores
from ltvl_mm.retrieval.search.search_spec import SearchOptions
from ltvl_mm.retrieval.search.selection import Selection
from ltvl_mm.retrieval.task import RetrievalOptions, RetrievalTask
from ltvl_mm.structures.background import (
    Background,
    find_background,
    load_background,
    save_background,
)
from ltvl_mm.structures.class_queries import ClassQueries
from ltvl_mm.structures.manifest_file import load_manifest

# Fewest and most names of the built-in list: about a thousand.
LENGTH = 1000, 1500


def make_queries(embeddings, prefix='class'):
    embeddings = np.asarray(embeddings, np.float64)
    embeddings /= np.linalg.norm(embeddings, axis=1, keepdims=True)
    names = tuple(f'{prefix} {k}' for k in range(len(embeddings)))
    return ClassQueries(names, ('{}',), embeddings.astype('f4'), ENCODER)


def make_background(embeddings, **fields):
    queries = make_queries(embeddings, 'other')
    return Background(queries, 'builtin', 'hash', **fields)


@pytest.fixture
def drawn(tmp_path):
    rng = np.random.default_rng(0)
    images = rng.normal(size=(300, 16))
    images /= np.linalg.norm(images, axis=1, keepdims=True)
    store = write_store(tmp_path / 'web', [images.astype('f4')])
    return (
        store,
        make_queries(rng.normal(size=(5, 16))),
        make_background(rng.normal(size=(40, 16))),
    )


def test_builtin_names_are_many_plain_and_unique():
    names = load_builtin_names()
    assert LENGTH[0] <= len(names) <= LENGTH[1]
    assert len(set(names)) == len(names)
    assert {'dog', 'bicycle', 'pizza', 'mountain'} <= set(names)
    assert all(name == name.lower() and len(name) < 25 for name in names)


@pytest.mark.parametrize('assign', ['independent', 'argmax'])
def test_selection_equals_a_sort_of_the_softmax_over_both(drawn, assign):
    store, queries, background = drawn
    budget = np.array([4, 0, 9, 300, 1])
    selection = Selection(
        store,
        queries,
        budget,
        SearchOptions(temperature=0.1, assign=assign, background=background),
    )
    pool = selection.make_pool()
    selection.scan(pool)
    found = selection.finish(pool)
    assert len(found) == 5
    images = store.read_rows(np.arange(len(store))).astype(float)
    texts = np.concatenate([queries.embeddings, background.queries.embeddings])
    cosines = images @ texts.T.astype(float)
    scores = compute_scores(cosines, temperature=0.1, score='softmax')
    for label, best in enumerate(found):
        rows = np.arange(300)
        if assign == 'argmax':
            rows = rows[cosines.argmax(1) == label]
        order = np.lexsort([rows, -scores[rows, label]])[: budget[label]]
        assert best.rows.tolist() == rows[order].tolist()
        np.testing.assert_allclose(
            best.scores, scores[rows[order], label], atol=1e-6
        )


def test_no_candidate_is_kept_for_background(drawn):
    store, queries, background = drawn
    selection = Selection(
        store,
        queries,
        np.full(5, 3),
        SearchOptions(temperature=0.1, background=background),
    )
    pool = selection.make_pool()
    selection.scan(pool)
    assert pool.labels.max() < 5


def test_one_class_has_a_softmax_with_background(drawn):
    store, queries, background = drawn
    one = make_queries(queries.embeddings[:1])
    with pytest.raises(
        ValueError, match=r'there is one only; use .*\(--background b'
    ):
        Selection(store, one, [2], SearchOptions(temperature=0.1))
    Selection(
        store, one, [2], SearchOptions(temperature=0.1, background=background)
    )


def test_manifest_has_the_classes_only_and_records_background(drawn, tmp_path):
    store, queries, background = drawn
    options = RetrievalOptions(temperature=0.1, copy='none')
    budget = np.full(5, 3)
    for name, some in (('with', background), ('without', None)):
        task = RetrievalTask(
            store, queries, budget, (), options, background=some
        )
        run_retrieval(task, tmp_path / name)
    manifest = load_manifest(tmp_path / 'with/manifest.parquet')
    plain = load_manifest(tmp_path / 'without/manifest.parquet')
    assert manifest.class_names == plain.class_names == queries.class_names
    assert manifest.count_classes().tolist() == [3] * 5
    recorded = manifest.source.pop('background')
    assert recorded['source'] == 'builtin'
    assert recorded['names'] == list(background.queries.class_names)
    assert 'background' not in plain.source
    assert manifest.source.keys() == plain.source.keys()
    report = json.loads((tmp_path / 'with/report.json').read_text())
    assert len(report['classes']) == 5


def test_another_encoder_or_width_is_refused(drawn):
    store, queries, _ = drawn
    narrow = make_background(np.eye(4, 8))
    with pytest.raises(ValueError, match='width 8, and the classes of width'):
        Selection(
            store,
            queries,
            [1] * 5,
            SearchOptions(temperature=1, background=narrow),
        )


def test_background_is_read_as_it_was_written(tmp_path, drawn):
    background = make_background(np.eye(3), left_out={'cat': 'why'})
    assert find_background(tmp_path) is None
    save_background(tmp_path / 'background.npz', background)
    found = find_background(tmp_path)
    assert found.describe() == background.describe()
    (tmp_path / 'bad.npz').write_bytes(b'no')
    with pytest.raises(ValueError, match='holds no background classes'):
        load_background(tmp_path / 'bad.npz')


def test_equal_and_contained_names_are_left_out():
    names = ['Dog', 'hot dog', 'truck', 'cat', 'wildcat', 'trucks']
    found = find_same_names(names, ['dogs', 'fire truck'])
    assert list(found) == ['Dog', 'hot dog', 'truck', 'trucks']
    assert found['truck'] == "shares its words with 'fire truck'"


def test_irregular_plurals_are_the_same_name():
    pairs = {
        'box': 'boxes',
        'wolf': 'wolves',
        'knife': 'knives',
        'bus': 'buses',
        'cherry': 'cherries',
        'mouse': 'mice',
        'woman': 'women',
        'dress': 'dresses',
    }
    names, others = list(pairs), list(pairs.values())
    assert list(find_same_names(names, others)) == names
    assert list(find_same_names(others, names)) == others


def test_similar_words_are_other_names():
    names = ['cafe', 'ax', 'glass', 'hoe', 'lens', 'bu']
    classes = ['cave', 'caves', 'axe', 'axes', 'glasses', 'hose', 'hoses']
    assert find_same_names(names, classes) == {}


def test_repeats_are_found_without_case_and_spaces():
    names = ['Tree', 'stone', 'tree', ' tree', 'hot  dog', 'hot dog']
    expected = [False, False, True, True, False, True]
    assert mask_repeated_names(names).tolist() == expected
    texts = np.array([[1, 0], [0, 1], [1, 0], [0, 1], [1, 0], [1, 0]])
    found = mask_repeated_names(names, texts.astype(np.float32))
    assert found.tolist() == [False, False, True, False, False, True]


@pytest.mark.parametrize('names', [['pup'], ['pup', 'hound', 'doggy']])
def test_near_copies_of_the_only_class_are_synonyms(names):
    # Without their mean, one class and one name are opposite.
    texts = np.eye(4)[0] + 0.05 * np.eye(4)[1:][: len(names)]
    texts /= np.linalg.norm(texts, axis=1, keepdims=True)
    found = find_synonyms(names, texts, ['dog'], np.eye(4)[:1])
    assert list(found) == names
    far = np.eye(4)[1:][: len(names)]
    assert find_synonyms(names, far, ['dog'], np.eye(4)[:1]) == {}


def test_synonyms_may_be_judged_by_the_mean_of_other_names():
    texts = np.array([[0.8, 0.6, 0], [0.8, 0, 0.6]])
    mean = np.array([0.8, 0, 0])
    found = find_synonyms(['a', 'b'], texts, ['k'], texts[:1], mean=mean)
    assert list(found) == ['a']


def test_synonyms_are_judged_without_the_common_direction():
    # All share a large first entry; without it b is near k, and a is not.
    classes = np.array([[10, 1, 0, 0], [10, 0, 1, 0]])
    names, texts = ('a', 'b'), np.array([[10, 0, 0, 1], [10, 0, 0.9, 0.1]])

    def unit(x):
        return x / np.linalg.norm(x, axis=1, keepdims=True)

    found = find_synonyms(names, unit(texts), ('j', 'k'), unit(classes))
    assert list(found) == ['b']
    assert found['b'].endswith("to 'k'")


def test_default_depends_on_classes_and_score():
    assert resolve_auto('auto', 63, 'softmax') == 'builtin'
    assert resolve_auto('auto', 64, 'softmax') == 'none'
    assert resolve_auto('auto', 8, 'cosine') == 'none'
    assert resolve_auto('builtin', 1000, 'margin') == 'builtin'
    with pytest.raises(ValueError, match='changes nothing with score=cosine'):
        resolve_auto('builtin', 8, 'cosine')


def test_background_has_few_templates():
    assert thin_templates(['{}']) == ('{}',)
    templates = [f'{k} {{}}' for k in range(80)]
    assert thin_templates(templates) == tuple(templates[::10])

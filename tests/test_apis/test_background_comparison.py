from dataclasses import replace

import numpy as np
import pytest
import torch

from ltvl_mm.apis.background_comparison import (
    compare_backgrounds,
    compare_scores,
    read_truth,
)
from ltvl_mm.apis.retrieval_saturation import warn_of_saturation
from ltvl_mm.evaluation.retrieval_precision import compute_precision_at_r
from ltvl_mm.structures.background import Background, save_background
from ltvl_mm.structures.class_queries import ClassQueries, save_queries

ENCODER = {'arch': 'a', 'weights': 'w', 'preprocessing': 'p'}


def make_queries(embeddings):
    names = tuple(map(str, range(len(embeddings))))
    return ClassQueries(names, ('{}',), np.array(embeddings, 'f4'), ENCODER)


def test_precision_at_r_by_hand():
    labels = np.array([0, 0, 1, -1, -1])
    scores = np.array([[5, 0], [1, 0], [0, 9], [3, 1], [0, 0.0]])
    # Class 0: images 0 and 3, one of two right; class 1: image 2.
    assert compute_precision_at_r(scores, labels) == pytest.approx(75)


def test_background_takes_images_of_no_class():
    queries = make_queries(np.eye(2, 3))
    images = np.array([[1, 0, 0], [0.2, 0, 0.98], [0, 1, 0]])
    images /= np.linalg.norm(images, axis=1, keepdims=True)
    labels = np.array([0, -1, 1])
    without = compare_scores(images, labels, queries, None, 0.05)
    assert without.confident == 100
    assert without.correct == pytest.approx(200 / 3)
    other = Background(make_queries([[0, 0, 1]]), 'builtin', '')
    found = compare_scores(images, labels, queries, other, 0.05)
    assert found.confident == pytest.approx(200 / 3)
    assert (found.correct, found.precision, found.names) == (100, 100, 1)


def test_truth_names_every_image(tmp_path):
    (tmp_path / 't.csv').write_text('key,class_name\na,dog\nb,\nc,owl\n')
    found = read_truth(tmp_path / 't.csv', ['c', 'b', 'a'], ['dog', 'cat'])
    assert found.tolist() == [-1, -1, 0]
    with pytest.raises(ValueError, match='no row for 1 of 1 images'):
        read_truth(tmp_path / 't.csv', ['z'], ['dog'])
    with pytest.raises(ValueError, match="'dog' names several classes"):
        read_truth(tmp_path / 't.csv', ['a'], ['dog', 'cat', 'dog'])


class FakeStore:
    def __init__(self, images):
        self.images = np.array(images, 'f4')

    def __len__(self):
        return len(self.images)

    def read_rows(self, rows):
        return self.images[rows]

    def read_metadata(self, rows, columns):
        return {name: [str(row) for row in rows] for name in columns}


class FakeCLIP:
    temperature = 0.05

    def encode_fitting_names(self, names, templates):
        """No other name fits into the text tower."""
        return torch.empty(0, 0), set(names)


def test_subsets_are_averaged_wherever_the_program_runs(tmp_path, monkeypatch):
    # A folder that was retrieved with background classes.
    monkeypatch.chdir(tmp_path)
    queries = make_queries(np.eye(3))
    save_background('background.npz', Background(queries, 'builtin', ''))
    other = replace(make_queries([[0.0, 0.6, 0.8]]), class_names=('anvil',))
    save_queries('other.npz', other)
    (tmp_path / 't.csv').write_text('key,class_name\n0,0\n1,1\n2,2\n')
    # Of both classes alike: no image has p >= 0.5 with a third one.
    store = FakeStore(np.eye(3) @ np.full((3, 3), 3**-0.5))
    (_, plain, kind, without), (*_, found) = compare_backgrounds(
        store,
        't.csv',
        queries,
        FakeCLIP(),
        sizes=[2],
        draws=3,
        setting='other.npz',
    )
    assert (plain, kind, without.names, found.names) == ('none', 'own', 0, 1)
    assert found.confident == 0
    assert found.temperature == pytest.approx(0.05)
    assert np.isnan(found.correct)


def test_saturation_warns_where_few_classes_take_all(monkeypatch):
    logged = []
    monkeypatch.setattr(
        'ltvl_mm.apis.retrieval_saturation.print_log',
        lambda text, *_, **__: logged.append(text),
    )
    store = FakeStore([[1, 0, 0], [0.6, 0, 0.8], [0.6, 0.6, 0.53]])
    queries = make_queries(np.eye(2, 3))
    assert warn_of_saturation(store, queries, 0.05) == pytest.approx(2 / 3)
    assert '67 % of the web images' in logged[0]
    assert '--background builtin' in logged[0]
    assert warn_of_saturation(store, queries, 10.0) == 0
    assert len(logged) == 1
    many = make_queries(np.eye(20))
    assert warn_of_saturation(store, many, 0.05) is None

import sys

import numpy as np
import pytest

from ltvl_mm.evaluation.feature_map import project_features, sample_rows
from ltvl_mm.structures.features import Features


def make_features(count, labels=None):
    rng = np.random.default_rng(0)
    labels = np.arange(count) % 2 if labels is None else labels
    centers = 20 * labels[:, None] * np.ones((1, 4))
    points = rng.normal(size=(count, 4)) + centers + [1, 0, 0, 0]
    paths = tuple(f'{number}.jpg' for number in range(count))
    return Features(points.astype(np.float32), labels, paths)


def test_a_sample_has_evenly_many_of_each_class_as_far_as_there_are():
    labels = np.array([0] * 50 + [1] * 3 + [2] * 10)
    rows = sample_rows(labels, 15)
    assert np.bincount(labels[rows]).tolist() == [6, 3, 6]
    assert (np.diff(rows) > 0).all()
    np.testing.assert_array_equal(rows, sample_rows(labels, 15))
    np.testing.assert_array_equal(sample_rows(labels, 99), np.arange(63))


def test_a_map_keeps_neighbors_and_is_the_same_again():
    features = make_features(40)
    places = project_features(features)
    assert places.shape == (40, 2)
    distances = np.linalg.norm(places[:, None] - places[None], axis=2)
    np.fill_diagonal(distances, np.inf)
    near = features.labels[distances.argmin(1)]
    assert (near == features.labels).mean() > 0.8
    np.testing.assert_array_equal(places, project_features(features))


def test_few_images_make_a_map_too():
    assert project_features(make_features(3)).shape == (3, 2)


def test_what_cannot_be_mapped_is_said(monkeypatch):
    with pytest.raises(ValueError, match='at least 3 images, got 2'):
        project_features(make_features(2))
    with pytest.raises(ValueError, match="got 'pca'"):
        project_features(make_features(3), method='pca')
    monkeypatch.setitem(sys.modules, 'umap', None)
    with pytest.raises(ImportError, match='pip install umap-learn'):
        project_features(make_features(3), method='umap')

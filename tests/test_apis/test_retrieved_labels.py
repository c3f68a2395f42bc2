"""Soft labels of retrieved images, by row of the class list."""

from dataclasses import replace

import numpy as np
import pytest
from stress.kill_embedding import write_memory
from stress.kill_retrieval import NAMES

from ltvl_mm import embed, retrieve
from ltvl_mm.apis.retrieval_settings import RetrievalSettings
from ltvl_mm.apis.retrieved_labels import label_retrieved
from ltvl_mm.retrieval.task import RetrievalOptions
from ltvl_mm.structures.class_queries import load_queries, save_queries
from ltvl_mm.structures.manifest import MANIFEST_SCHEMA
from ltvl_mm.structures.manifest_file import save_manifest
from ltvl_mm.structures.soft_labels import load_soft_labels

OPTIONS = RetrievalOptions(temperature=0.05)


@pytest.fixture(scope='module')
def work(tmp_path_factory):
    """Folder with three tars of random images, and the weights of a CLIP."""
    folder = tmp_path_factory.mktemp('labels')
    write_memory(folder, tars=3)
    return folder


@pytest.fixture(scope='module')
def store(work):
    return embed(
        work / 'memory',
        work / 'store',
        arch='ltvl-toy',
        workers=0,
        pretrained=str(work / 'clip.pt'),
    )


@pytest.fixture
def settings(work):
    return RetrievalSettings(
        class_names=NAMES,
        exclude=None,
        budget=3,
        templates='single',
        options=OPTIONS,
        pretrained=str(work / 'clip.pt'),
    )


def test_soft_labels_are_the_softmax_over_the_classes(
    store, settings, tmp_path
):
    manifest = retrieve(store, tmp_path, settings)
    labels = label_retrieved(tmp_path, [store], top=2)
    queries = load_queries(tmp_path / 'queries.npz').embeddings
    images = store.read_rows(store.find_rows(list(manifest.key)))
    for row in (0, len(manifest) - 1):
        odds = np.exp(queries.astype(float) @ images[row] / 0.05)
        expected = odds / odds.sum()
        found = labels.read(row)
        best = np.argsort(-expected)[:2]
        assert found[best] == pytest.approx(expected[best], rel=1e-4)
        assert found.sum() == pytest.approx(1, rel=1e-5)
    found = load_soft_labels(tmp_path / 'soft_labels.npz', manifest)
    assert np.array_equal(found.classes, labels.classes)
    with pytest.raises(ValueError, match='top must be >= 1'):
        label_retrieved(tmp_path, [store], top=0)
    for wrong in (0, -1, float('nan'), float('inf'), 5e-324):
        with pytest.raises(ValueError, match='temperature must be a finite'):
            label_retrieved(tmp_path, [store], temperature=wrong)


def test_classes_of_one_name_have_soft_labels_of_their_own(
    store, settings, tmp_path
):
    retrieve(store, tmp_path / 'first', settings)
    first = load_queries(tmp_path / 'first' / 'queries.npz')
    names = ('crane', 'crane', 'owl')
    own = replace(first, class_names=names, embeddings=first.embeddings[:3])
    save_queries(tmp_path / 'own.npz', own)
    settings = RetrievalSettings(
        queries=tmp_path / 'own.npz', exclude=None, budget=3, options=OPTIONS
    )
    folder = tmp_path / 'out'
    manifest = retrieve(store, folder, settings)
    labels = label_retrieved(folder, [store])
    found = [
        labels.read(row)[label] for row, label in enumerate(manifest.class_id)
    ]
    assert set(manifest.class_id) == {0, 1, 2}
    assert found == pytest.approx(manifest.probabilities, rel=1e-4)


def test_soft_labels_need_images_and_the_classes_of_the_queries(
    store, settings, tmp_path
):
    manifest = retrieve(store, tmp_path, settings)
    file = tmp_path / 'manifest.parquet'
    order = (NAMES[1], NAMES[0], *NAMES[2:])
    save_manifest(file, replace(manifest, class_names=order))
    with pytest.raises(ValueError, match='another class list: class 0'):
        label_retrieved(tmp_path, [store])
    empty = {
        name: getattr(manifest, name)[:0] for name in MANIFEST_SCHEMA.names
    }
    save_manifest(file, replace(manifest, **empty))
    with pytest.raises(ValueError, match='has no image to label'):
        label_retrieved(tmp_path, [store])

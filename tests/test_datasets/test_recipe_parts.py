"""Filters, probabilities and soft labels of retrieved images."""

import logging
from dataclasses import replace

import numpy as np
import pytest
from mmengine.dataset import ConcatDataset, RepeatDataset
from small_inputs import NAMES, write_manifest

from ltvl_mm.datasets import RetrievedDataset, TACKLEDataset
from ltvl_mm.structures.manifest_file import load_manifest, save_manifest
from ltvl_mm.structures.origins import read_origins, read_probabilities
from ltvl_mm.structures.soft_labels import (
    SoftLabels,
    load_soft_labels,
    make_soft_labels,
    save_soft_labels,
)

PIPELINE = [dict(type='LoadImageFromFile'), dict(type='PackInputs')]
# Of two cats, three dogs and an owl.
PROBABILITIES = np.array([0.75, 0.5, 0.5, 0.4, 0.25, 0.2])
DISTRIBUTIONS = np.array(
    [
        *([0.75, 0.2, 0.05], [0.5, 0.3, 0.2], [0.1, 0.5, 0.4]),
        *([0.6, 0.4, 0.0], [0.25, 0.25, 0.5], [0.4, 0.4, 0.2]),
    ]
)


@pytest.fixture
def probable(manifest):
    """File of a manifest with probabilities."""
    odds = PROBABILITIES / (1 - PROBABILITIES)
    more = dict(score=np.log(odds), source={'score': 'softmax'})
    save_manifest(manifest, replace(load_manifest(manifest), **more))
    return manifest


def build(target, manifest, **options):
    return TACKLEDataset.from_retrieval(target, manifest, **options)


def test_images_below_the_minimum_probability_are_left_out(target, probable):
    dataset = build(target, probable, min_probability=0.4)
    assert dataset.get_gt_labels().tolist() == [0, 0, 0, 1, 1, 2, 0, 0, 1, 1]
    kept = dataset.retrieved
    assert kept.get_probabilities() == pytest.approx(PROBABILITIES[:4])
    assert kept.get_data_info(-1)['key'] == 'k3'
    last = dataset[9]['data_samples']
    assert last.gt_label.item() == 1
    assert last.probability == pytest.approx(0.4)
    assert last.retrieval_score == pytest.approx(np.log(0.4 / 0.6))


@pytest.mark.parametrize('background', [None, {'source': 'builtin'}])
def test_a_filter_that_leaves_few_images_is_warned_of(
    target, probable, background, monkeypatch
):
    printed = []
    monkeypatch.setattr(
        'ltvl_mm.datasets.probability_log.print_log',
        lambda text, logger, level: printed.append((level, text)),
    )
    source = {'score': 'softmax', 'background': background}
    save_manifest(probable, replace(load_manifest(probable), source=source))
    for limit, level in ((0.5, logging.INFO), (0.6, logging.WARNING)):
        build(target, probable, min_probability=limit)
        found, text = printed.pop()
        assert found == level
        # Three, then one of the six: no background makes them so small.
        assert '--val STORE LIST' not in text
    # One of eleven, as with background names and a temperature that is not
    # fitted.
    many = write_manifest(probable.parent / 'many', NAMES, [1] * 11)
    save_manifest(many, replace(load_manifest(many), source=source))
    build(target, many, min_probability=0.5)
    level, text = printed.pop()
    assert level == logging.WARNING
    assert ('--val STORE LIST' in text) == (background is not None)
    assert '1 of 3 classes have retrieved images' in text


def test_weights_that_background_names_make_small_are_warned_of(
    target, probable, monkeypatch
):
    printed = []
    monkeypatch.setattr(
        'ltvl_mm.datasets.probability_log.print_log',
        lambda text, logger, level: printed.append((level, text)),
    )
    source = {'score': 'softmax', 'background': {'source': 'builtin'}}
    many = write_manifest(probable.parent / 'many', NAMES, [1] * 11)
    for fitted in (False, True):
        if fitted:
            source['temperature_source'] = {'source': 'val'}
        save_manifest(many, replace(load_manifest(many), source=source))
        dataset = build(target, many)
        read_probabilities(dataset)
        read_probabilities(dataset)
    ((level, text),) = printed  # once, and not of fitted ones
    assert level == logging.WARNING
    assert '(1 of 11 images have 0.5 or more)' in text
    assert '--temperature auto --val STORE LIST' in text


def test_a_manifest_that_background_names_left_short_is_warned_of(
    target, probable, monkeypatch
):
    printed = []
    monkeypatch.setattr(
        'ltvl_mm.datasets.probability_log.print_log',
        lambda text, logger, level: printed.append((level, text)),
    )
    source = {
        'score': 'softmax',
        'background': {'source': 'builtin'},
        'temperature': 0.07,
        'temperature_source': {'source': 'encoder'},
        'min_probability': 0.2,
        'budget': [10, 10, 10],
    }
    save_manifest(probable, replace(load_manifest(probable), source=source))
    build(target, probable).full_init()
    ((level, text),) = printed
    assert level == logging.WARNING
    assert 'few images: only 6 of 30 wanted images' in text
    assert text.endswith('with --temperature auto --val STORE LIST')


def test_a_subset_is_of_the_images_that_are_left(probable):
    dataset = RetrievedDataset(
        str(probable), min_probability=0.5, indices=[2, 0], pipeline=PIPELINE
    )
    assert dataset.get_gt_labels().tolist() == [1, 0]


def test_filters_that_leave_nothing_or_cannot_be_are_refused(
    target, probable, tmp_path
):
    with pytest.raises(ValueError, match=r'none of the 6 .* is 0\.75'):
        build(target, probable, min_probability=0.8)
    with pytest.raises(ValueError, match=r'must be in \[0, 1\], got 2'):
        build(target, probable, min_probability=2)
    plain = replace(load_manifest(probable), source={'score': 'cosine'})
    save_manifest(probable, plain)
    with pytest.raises(
        ValueError, match=r"manifest\.parquet has scores of 'cosine'"
    ):
        build(target, probable, min_probability=0.5)
    assert 'probability' not in build(target, probable)[6]['data_samples']


def test_origins_and_probabilities_of_all_samples(target, probable):
    dataset = build(target, probable)
    expected = [1] * 6 + PROBABILITIES.tolist()
    assert read_probabilities(dataset) == pytest.approx(expected)
    assert read_origins(dataset).tolist() == [False] * 6 + [True] * 6
    part = dataset.get_subset([0, 6, 11])
    assert read_probabilities(part) == pytest.approx([1, 0.75, 0.2])
    assert read_origins(part).tolist() == [False, True, True]
    repeated = RepeatDataset(part, 2)
    assert read_origins(repeated).tolist() == [False, True, True] * 2
    joined = ConcatDataset([dataset.dataset, part])
    assert read_origins(joined).tolist() == [False] * 7 + [True, True]
    assert read_probabilities(joined)[-2:] == pytest.approx([0.75, 0.2])
    assert not read_origins(dataset.dataset).any()


def test_a_wrapper_that_hides_origins_is_refused(target, probable):
    class Hiding:
        def __init__(self, dataset):
            self.dataset = dataset

    with pytest.raises(ValueError, match='Hiding does not say which'):
        read_origins(Hiding(build(target, probable)))


def test_retrieved_images_have_soft_labels_and_target_images_one(
    target, probable
):
    labels = make_soft_labels(load_manifest(probable), DISTRIBUTIONS, 3)
    save_soft_labels(probable.with_name('soft_labels.npz'), labels)
    dataset = build(target, probable, soft_labels=True, min_probability=0.24)
    scores = [dataset[i]['data_samples'].gt_score.tolist() for i in (5, 6, 10)]
    assert scores[0] == [0, 0, 1]
    assert scores[1] == pytest.approx([0.75, 0.2, 0.05])
    assert scores[2] == pytest.approx([0.25, 0.25, 0.5])
    assert len(dataset) == 11


def test_what_the_kept_classes_lack_is_shared_by_the_others(manifest):
    labels = make_soft_labels(load_manifest(manifest), DISTRIBUTIONS, 1)
    assert labels.read(0) == pytest.approx([0.75, 0.125, 0.125])
    assert labels.read(4) == pytest.approx([0.25, 0.25, 0.5])
    assert labels.read(5) == pytest.approx([0.4, 0.3, 0.3])


def test_soft_labels_of_other_images_are_refused(target, probable, tmp_path):
    with pytest.raises(ValueError, match=r'no soft labels .* Write them with'):
        build(target, probable, soft_labels=True)
    file = tmp_path / 'labels.npz'
    other = load_manifest(probable)
    labels = make_soft_labels(other, DISTRIBUTIONS, 3)
    save_soft_labels(file, labels)
    assert len(load_soft_labels(file, other)) == 6
    renamed = replace(other, key=tuple('abcdef'))
    with pytest.raises(ValueError, match='belong to another retrieval'):
        load_soft_labels(file, renamed)


@pytest.mark.parametrize(
    ('classes', 'probabilities', 'message'),
    [
        ([[0], [1]], [[0.5]], 'one shape'),
        ([[3]], [[0.5]], 'class 3, which lies outside'),
        ([[0, 1]], [[0.9, 0.9]], 'is not a distribution'),
        ([[0, 1]], [[1.1, -0.1]], 'is not a distribution'),
    ],
)
def test_wrong_soft_labels_are_refused(classes, probabilities, message):
    with pytest.raises(ValueError, match=message):
        SoftLabels(np.array(classes), np.array(probabilities), 3, '')

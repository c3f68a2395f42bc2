"""Logit adjustment, tau-normalization and nearest class means."""

from dataclasses import replace

import numpy as np
import pytest

from ltvl_mm.evaluation import tau_normalization
from ltvl_mm.evaluation.logit_adjustment import (
    adjust_logits,
    count_trained_images,
)
from ltvl_mm.evaluation.post_hoc import (
    choose_setting,
    score_methods,
    search_taus,
)
from ltvl_mm.evaluation.tau_normalization import (
    choose_tau,
    normalize_weights,
    predict_nearest_mean,
    predict_tau_normalized,
    search_taus_by_loss,
)
from ltvl_mm.structures.features import Features
from ltvl_mm.structures.manifest import Manifest
from ltvl_mm.structures.predictions import Predictions

GROUPS = np.array(['many', 'few'])
# Right where class 1 has at least a ninth of the odds.
PREDICTIONS = Predictions(
    probabilities=np.array([[0.95, 0.05], [0.8, 0.2]], np.float32),
    labels=np.array([0, 1]),
    paths=('a', 'b'),
)


def test_retrieved_images_count_whole_or_as_their_probabilities():
    manifest = Manifest(
        class_names=('cat', 'dog', 'eel'),
        class_id=np.array([0, 0, 2], np.int32),
        rank=np.array([0, 1, 0], np.int32),
        score=np.log([0.75 / 0.25, 0.5 / 0.5, 0.2 / 0.8]),
        cosine=np.array([0.3, 0.2, 0.25]),
        key=('a', 'b', 'c'),
        file=('a.jpg', 'b.jpg', 'c.jpg'),
        caption=('', '', ''),
        source={'score': 'softmax'},
    )
    counts = np.array([5, 4, 3])
    assert count_trained_images(counts, manifest).tolist() == [7, 4, 4]
    weighted = count_trained_images(counts, manifest, by_probability=True)
    assert weighted == pytest.approx([6.25, 4, 3.2])
    cosine = replace(manifest, source={'score': 'cosine'})
    with pytest.raises(ValueError, match='not log-odds'):
        count_trained_images(counts, cosine, by_probability=True)


def test_adjustment_by_hand():
    scores = adjust_logits(PREDICTIONS, np.array([9, 1]), 1.0)
    expected = np.log(PREDICTIONS.probabilities) - np.log([0.9, 0.1])
    assert scores == pytest.approx(expected, abs=1e-6)
    assert scores.argmax(1).tolist() == [0, 1]
    assert adjust_logits(PREDICTIONS, np.array([9, 1]), 0.0).argmax(
        1
    ).tolist() == [0, 0]


def test_the_training_prior_at_test_undoes_the_adjustment():
    counts = np.array([9, 1])
    scores = adjust_logits(PREDICTIONS, counts, 1.0, test_prior=counts)
    logs = PREDICTIONS.log_probabilities()
    assert scores == pytest.approx(logs, abs=1e-9)


def test_a_class_without_images_stays_finite():
    scores = adjust_logits(PREDICTIONS, np.array([9, 0]), 1.0)
    assert np.isfinite(scores).all()
    with pytest.raises(ValueError, match='counts must be 2 numbers'):
        adjust_logits(PREDICTIONS, np.array([9, 0, 1]), 1.0)


def test_tau_is_searched_and_the_best_tested():
    rows = search_taus(
        lambda tau: adjust_logits(PREDICTIONS, np.array([9, 1]), tau).argmax(
            1
        ),
        (0.0, 1.0, 3.0),
        PREDICTIONS.labels,
        GROUPS,
    )
    assert [row['all'] for row in rows] == [50.0, 100.0, 50.0]
    assert choose_setting(rows)['tau'] == 1.0
    (row,) = score_methods({'m': np.array([0, 0])}, np.array([0, 1]), GROUPS)
    assert row['method'] == 'm'
    assert (row['many'], row['few'], row['all']) == (100.0, 0.0, 50.0)
    assert row['per_class'] == [100.0, 0.0]


WEIGHTS = np.array([[4.0, 0.0], [0.0, 1.0]])


def test_weights_lose_their_length_by_tau():
    assert normalize_weights(WEIGHTS, 0.0).tolist() == WEIGHTS.tolist()
    assert normalize_weights(WEIGHTS, 1.0).tolist() == [[1, 0], [0, 1]]
    assert normalize_weights(WEIGHTS, 0.5)[0].tolist() == [2, 0]
    zero = normalize_weights(np.zeros((1, 2)), 1.0)
    assert zero.tolist() == [[0, 0]]


def test_normalized_classes_win_where_length_decided():
    features = make([[1.0, 3.0]], [1])
    assert predict_tau_normalized(features, WEIGHTS, 0.0).tolist() == [0]
    assert predict_tau_normalized(features, WEIGHTS, 1.0).tolist() == [1]
    with pytest.raises(ValueError, match=r'takes 2 numbers, but .* have 3'):
        predict_tau_normalized(make([[1, 2, 3]], [0]), WEIGHTS, 1.0)


@pytest.mark.parametrize('tau', [float('nan'), float('inf')])
def test_taus_are_finite(tau):
    features = make([[1.0, 3.0], [3.0, 1.0]], [1, 0])
    for val in (features, None):
        with pytest.raises(ValueError, match=r'\(--taus\) must be finite'):
            choose_tau(WEIGHTS, [0, tau], features, val, GROUPS)


def test_without_val_each_class_of_train_has_one_voice():
    # Three images of class 0, one of class 1; lengths 4 and 1, median 2.5.
    train = make([[1, 1], [1, 1], [1, 1], [0, 2]], [0, 0, 0, 1])
    (as_trained, normalized) = search_taus_by_loss(train, WEIGHTS, (0, 1))
    common = np.log(1 + np.exp(-3)) + np.log(1 + np.exp(-2))
    assert as_trained['loss'] == pytest.approx(common / 2)
    common = np.log(2) + np.log(1 + np.exp(-5))
    assert normalized['loss'] == pytest.approx(common / 2)
    found = choose_tau(WEIGHTS, (0, 1), train, None, GROUPS)
    assert found['chosen'] == as_trained
    assert found['chosen_by'] == 'class-balanced log-loss of train'
    assert found['train'] == [as_trained, normalized]
    val = make([[1.0, 3.0]], [1])
    found = choose_tau(WEIGHTS, (0, 1), train, val, GROUPS)
    assert found['chosen']['tau'] == 1
    assert found['chosen_by'] == 'accuracy of val'


@pytest.mark.parametrize('seed', range(3))
def test_the_loss_of_a_tau_is_that_of_a_slow_version(seed, monkeypatch):
    monkeypatch.setattr(tau_normalization, 'ROWS_AT_A_TIME', 7)
    rng = np.random.default_rng(seed)
    labels = rng.choice([0, 2, 3], 30)  # class 1 is absent
    labels[:1] = 4  # and class 4 has one image
    train = make(rng.normal(size=(30, 4)), labels)
    weights = rng.normal(size=(5, 4)).astype(np.float32)
    weights[1] = 0
    lengths = [np.linalg.norm(row) for row in weights]
    lengths[1] = np.median(lengths)
    taus = (0.0, 0.7, 2.0)
    for row, tau in zip(
        search_taus_by_loss(train, weights, taus), taus, strict=True
    ):
        losses = {label: [] for label in (0, 2, 3, 4)}
        for point, label in zip(train.features, labels, strict=True):
            logits = [
                vector @ point * (np.median(lengths) / length) ** tau
                for vector, length in zip(weights, lengths, strict=True)
            ]
            odds = np.exp(logits)
            losses[label].append(-np.log(odds[label] / odds.sum()))
        expected = np.mean([np.mean(own) for own in losses.values()])
        assert row['tau'] == tau
        assert row['loss'] == pytest.approx(expected, rel=1e-4)


def test_large_logits_stay_finite():
    train = make([[1e4, 0], [0, 1e4]], [1, 0])
    (row,) = search_taus_by_loss(train, WEIGHTS.astype(np.float32), (1.0,))
    assert row['loss'] == pytest.approx(2.5e4)
    with pytest.raises(ValueError, match=r'takes 2 numbers, but .* have 3'):
        search_taus_by_loss(make([[1, 2, 3]], [0]), WEIGHTS, (1.0,))


def test_the_nearest_mean_is_that_of_a_slow_search():
    rng = np.random.default_rng(0)
    train = make(rng.normal(size=(30, 4)), rng.choice([0, 2, 3], 30))
    test = make(rng.normal(size=(9, 4)), np.zeros(9, int))
    center = train.features.mean(0)

    def move(rows):
        rows = rows - center
        return rows / np.linalg.norm(rows, axis=1, keepdims=True)

    means = {
        label: move(train.features)[train.labels == label].mean(0)
        for label in (0, 2, 3)  # never 1: it has no image
    }
    expected = [
        min(means, key=lambda label: np.linalg.norm(row - means[label]))
        for row in move(test.features)
    ]
    assert predict_nearest_mean(train, test).tolist() == expected


def make(features, labels):
    features = np.array(features, np.float32)
    paths = tuple(str(row) for row in range(len(features)))
    return Features(features, np.array(labels), paths)

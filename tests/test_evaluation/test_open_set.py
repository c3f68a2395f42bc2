"""OLTR's F-measure by hand, and against one image after another."""

import numpy as np
import pytest

from ltvl_mm.evaluation.open_set import (
    check_open_set,
    measure_open_set,
    reject_below,
)
from ltvl_mm.structures.predictions import Predictions


def make(probabilities, labels, name='k'):
    rows = np.array(probabilities, np.float32)
    paths = tuple(f'{name}{row:03d}' for row in range(len(rows)))
    return Predictions(rows, np.array(labels), paths)


KNOWN = make([[0.9, 0.1], [0.6, 0.4], [0.2, 0.8], [0.55, 0.45]], [0, 0, 0, 0])
UNKNOWN = make([[0.7, 0.3], [0.5, 0.5], [0.4, 0.6]], [-1, -1, -1], 'u')


def count_slowly(known, unknown, threshold):
    """What the authors' code counts, image by image."""
    right = wrong = accepted = 0
    for row, label in zip(known.probabilities, known.labels, strict=True):
        pred = row.argmax() if row.max() >= threshold else -1
        right += pred == label
        wrong += pred != label
    for row in unknown.probabilities:
        accepted += row.max() >= threshold
    if not right:
        return 0.0
    precision, recall = right / (right + wrong), right / (right + accepted)
    return 100 * 2 * precision * recall / (precision + recall)


def test_by_hand():
    """Right: the first; rejected: the fourth and one of the unknown."""
    found = measure_open_set(KNOWN, UNKNOWN, 0.56)
    assert found == {
        'threshold': 0.56,
        'precision': 50.0,
        'recall': 50.0,
        'f_measure': 50.0,
        'unknown_rejected': pytest.approx(100 / 3),
    }
    assert reject_below(KNOWN, 0.56).tolist() == [0, 0, 1, 1]


@pytest.mark.parametrize('seed', range(5))
def test_it_counts_as_the_authors_do(seed):
    rng = np.random.default_rng(seed)
    classes = 2 + seed
    known = make(
        rng.dirichlet(np.full(classes, 0.5), 40),
        rng.integers(classes, size=40),
    )
    unknown = make(
        rng.dirichlet(np.ones(classes), 1 + 7 * seed), [-1] * (1 + 7 * seed)
    )
    for threshold in (0.0, 0.3, 0.6, 0.9, 1.0):
        found = measure_open_set(known, unknown, threshold)
        expected = count_slowly(known, unknown, threshold)
        assert found['f_measure'] == pytest.approx(expected)


def test_all_rejected_is_zero_and_no_nan():
    found = measure_open_set(KNOWN, UNKNOWN, 1.0)
    assert found.pop('unknown_rejected') == 100
    assert list(found.values()) == [1.0, 0.0, 0.0, 0.0]


def test_what_is_no_open_set_test_is_refused():
    with pytest.raises(ValueError, match=r'lie in \[0, 1\], got 10'):
        measure_open_set(KNOWN, UNKNOWN, 10)
    three = make([[0.2, 0.3, 0.5]], [-1], 'u')
    with pytest.raises(ValueError, match='into 2 classes, unknown ones into'):
        check_open_set(KNOWN, three)
    with pytest.raises(ValueError, match='k000 is among the known and'):
        check_open_set(KNOWN, make([[0.5, 0.5]], [-1]))

import numpy as np
import pytest

from ltvl_mm.retrieval.budget import compute_budget
from ltvl_mm.retrieval.choice import count_precise


@pytest.mark.parametrize('rule', ['300', 300, np.int64(300)])
def test_a_number_holds_for_all_classes(rule):
    assert compute_budget(rule, 3).tolist() == [300, 300, 300]


def test_numbers_hold_for_one_class_each():
    assert compute_budget([0, 5, 2], 3).tolist() == [0, 5, 2]


def test_balance_tops_classes_up_and_takes_nothing_away():
    counts = np.array([1280, 100, 99, 0])
    found = compute_budget('balance_to:100', 4, counts)
    assert found.tolist() == [0, 0, 1, 100]
    assert counts.tolist() == [1280, 100, 99, 0]


def test_balance_needs_the_counts():
    with pytest.raises(ValueError, match='needs the training counts'):
        compute_budget('balance_to:100', 3)


@pytest.mark.parametrize('goal', ['', '-5', '1.5', 'many'])
def test_balance_needs_a_number(goal):
    with pytest.raises(ValueError, match='expected balance_to:N with N >= 0'):
        compute_budget(f'balance_to:{goal}', 3, np.zeros(3, int))


@pytest.mark.parametrize('rule', ['-1', '1.5', 'all', ''])
def test_an_unknown_rule_is_refused(rule):
    with pytest.raises(ValueError, match='the budget must be a number'):
        compute_budget(rule, 3)


@pytest.mark.parametrize('rule', [-1, 1.5, [1, 2], [1, -1, 0], [1.0, 2.0, 0]])
def test_numbers_that_are_no_budget_are_refused(rule):
    with pytest.raises(ValueError, match='must be 3 whole numbers >= 0'):
        compute_budget(rule, 3)


def test_balance_to_max_tops_up_to_the_largest_class():
    counts = np.array([50, 7, 0])
    assert compute_budget('balance_to:max', 3, counts).tolist() == [0, 43, 50]
    with pytest.raises(ValueError, match='needs the training counts'):
        compute_budget('balance_to:max', 3)


def test_auto_is_limited_by_the_largest_class_or_300():
    counts = np.array([50, 7, 0])
    assert compute_budget('auto', 3, counts).tolist() == [0, 43, 50]
    assert compute_budget('auto', 2).tolist() == [300, 300]


def test_a_class_ends_where_the_mean_probability_falls_below_the_bound():
    # Probabilities .9, .8, .7, .2: means .9, .85, .8, .65.
    probabilities = np.array([0.9, 0.8, 0.7, 0.2])
    scores = np.log(probabilities / (1 - probabilities))
    found = [count_precise(scores, bound) for bound in (0, 0.95, 0.82, 0.6)]
    assert found == [4, 0, 2, 4]
    assert count_precise(np.array([900.0, -900.0]), 0.5) == 2

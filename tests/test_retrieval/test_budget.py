import numpy as np
import pytest

from ltvl_mm.retrieval.budget import compute_budget


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

"""Claims of the paper, from rows that were made by hand."""

import importlib.util
from pathlib import Path

import pytest

FILE = Path(__file__).parents[2] / 'projects/paper_tables/claims.py'
RESNET = 'ResNet-18'


@pytest.fixture(scope='module')
def claims():
    spec = importlib.util.spec_from_file_location('claims', FILE)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def row(method, total, seed=0, *, retrieval=False, **other):
    defaults = {'student': 'CLIP', 'rebalancing': False, 'many': 0, 'few': 0}
    return {
        **defaults,
        'method': method,
        'retrieval': retrieval,
        'recipe': 'plain' if retrieval else 'none',
        'seed': seed,
        'all': total,
        **other,
    }


def find_line(claims, rows, text):
    (line,) = [
        line
        for line in claims.format_claims(rows).splitlines()
        if text in line
    ]
    return [cell.strip() for cell in line.split('|')[3:-1]]


def make_students(seed, plain, tackle, ride, paco):
    balanced = dict(student=RESNET, rebalancing=True)
    return [
        row('cross-entropy', plain, seed, student=RESNET),
        row('cross-entropy', tackle, seed, student=RESNET, retrieval=True),
        row('RIDE', ride, seed, **balanced),
        row('RIDE', 99, seed, **balanced, retrieval=True),
        row('PaCo', paco, seed, **balanced),
        # Of another student.
        row("PaCo, CLIP's weights", 90, seed, rebalancing=True),
    ]


def test_retrieval_is_held_against_the_best_method_of_each_seed(claims):
    rows = [
        *make_students(0, plain=40, tackle=55, ride=50, paco=52),  # +3
        *make_students(1, plain=40, tackle=54, ride=53, paco=50),  # +1
    ]
    text = 'above every re-balancing'
    assert find_line(claims, rows, text) == [
        'holds',
        '2.0 ± 1.4 (> 0)',
        '0: +3.0, 1: +1.0',
    ]
    rows += make_students(2, plain=40, tackle=50, ride=51, paco=50)  # -1
    assert find_line(claims, rows, text)[0] == (
        'holds on the mean (2 of 3 seeds)'
    )


def test_rows_of_other_recipes_are_left_out(claims):
    rows = make_students(0, plain=40, tackle=55, ride=50, paco=52)
    best = row('cross-entropy', 70, student=RESNET, retrieval=True)
    text = 'above every re-balancing'
    line = find_line(claims, [*rows, {**best, 'recipe': 'auto'}], text)
    assert line[2] == '0: +3.0'


def test_a_seed_without_all_rows_is_left_out(claims):
    rows = make_students(0, plain=40, tackle=55, ride=50, paco=52)
    assert find_line(claims, rows, 'above zero-shot') == [
        'not run',
        '– (> 0)',
        '',
    ]
    rows += [row('CLIP zero-shot', 70.0), row('BALLAD, A then B', 69.0)]
    rows += [row('BALLAD, A then B', 80.0, seed=1)]
    assert find_line(claims, rows, 'above zero-shot') == [
        'does not hold (0 of 1 seeds)',
        '-1.0 (> 0)',
        '0: -1.0',
    ]


def test_each_step_of_fine_tuning_counts(claims):
    rows = [
        row('CLIP zero-shot', 0, many=70, few=60),
        row('BALLAD, phase A, image tower', 0, many=80, few=40),
        row('BALLAD, phase A, text tower', 0, many=74, few=57),
        row('BALLAD, phase A', 0, many=82, few=41),
    ]
    # many: +10, +2, +4, +8; few: -20, +1, -3, -16.
    assert find_line(claims, rows, 'the higher many')[2] == '0: +2.0'
    assert find_line(claims, rows, 'the lower few')[2] == '0: -1.0'


@pytest.mark.parametrize(('many', 'verdict'), [(87, 'holds'), (86, 'does')])
def test_limits_of_students_are_included(claims, many, verdict):
    rows = [
        row('DeiT', 40, many=90, few=5),
        row('DeiT', 45, many=many, few=30, retrieval=True),
    ]
    assert find_line(claims, rows, 'DeiT + retrieval gains >= 25') == [
        'holds',
        '25 (>= 25)',
        '0: +25.0',
    ]
    assert find_line(claims, rows, 'DeiT + retrieval gains >= 5')[0] == 'holds'
    line = find_line(claims, rows, 'DeiT + retrieval loses')
    assert line[0].startswith(verdict)


def test_an_ensemble_is_held_against_both_parts(claims):
    rows = [
        row('CLIP zero-shot', 70.0),
        row('DeiT', 72.0, retrieval=True),
        row('DeiT + CLIP', 75.0, retrieval=True),
        row('DeiT + CLIP', 74.5),
    ]
    both = find_line(claims, rows, 'DeiT + retrieval + CLIP above both')
    assert both == ['holds', '3.0 (> 0)', '0: +3.0']
    other = find_line(claims, rows, 'DeiT + retrieval + CLIP above DeiT')
    assert other == ['holds', '0.5 (> 0)', '0: +0.5']

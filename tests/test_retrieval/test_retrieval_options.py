"""Options of a retrieval that are checked before its work."""

import json
import re
import runpy
from pathlib import Path

import numpy as np
import pytest
from color_world import OPTIONS

from ltvl_mm.apis import retrieval_budget
from ltvl_mm.apis.retrieval_arguments import make_options
from ltvl_mm.apis.retrieval_budget import find_budget, resolve_auto_budget
from ltvl_mm.apis.retrieval_check import check_retrieval
from ltvl_mm.evaluation.retrieval_warnings import QualityNumbers, find_warnings
from ltvl_mm.retrieval.options import RetrievalOptions
from ltvl_mm.structures.class_queries import ClassQueries, save_queries

VAL = ('store', 'list')
TOOL = Path(__file__).parents[2] / 'tools/retrieve.py'


@pytest.fixture
def said(monkeypatch):
    """Messages of the log."""
    found = []
    monkeypatch.setattr(
        retrieval_budget,
        'print_log',
        lambda text, *_, **__: found.append(text),
    )
    return found


@pytest.mark.parametrize(
    ('name', 'value', 'match'),
    [
        ('score', 'foo', 'one of softmax, cosine, margin, got '),
        ('assign', 'foo', 'one of independent, argmax, got '),
        ('copy', 'foo', 'one of folder, tar, none, got '),
        ('min_probability', None, r'in \[0, 1\), got None'),
        ('min_probability', 'a', r'in \[0, 1\), got '),
        ('min_probability', True, r'in \[0, 1\), got True'),
        ('min_precision', 1, r'in \[0, 1\), got 1'),
        ('min_precision', float('nan'), r'in \[0, 1\), got nan'),
        ('max_rounds', 1.5, 'a whole number >= 0, got 1.5'),
        ('max_rounds', -1, 'a whole number >= 0, got -1'),
        ('index_factor', 0, 'a whole number >= 1, got 0'),
        ('oversample_factor', '2', 'a finite number >= 1, got '),
        ('temperature', True, 'a finite number in .*, got True'),
    ],
)
def test_a_wrong_option_is_named(name, value, match):
    with pytest.raises(ValueError, match=f'{name} must be {match}'):
        RetrievalOptions(**{name: value})


def test_limits_on_probabilities_need_the_softmax():
    for name in ('min_probability', 'min_precision'):
        RetrievalOptions(score='cosine', **{name: 0})
        with pytest.raises(ValueError, match=f'{name}=0.5 needs score='):
            RetrievalOptions(score='cosine', **{name: 0.5})


@pytest.mark.parametrize(('given', 'used'), [(None, 0.8), (0, 0), (0.3, 0.3)])
def test_an_automatic_budget_has_the_precision_that_is_given(given, used):
    options = RetrievalOptions(min_precision=given)
    found = resolve_auto_budget('auto', options, VAL)
    assert found.min_precision == used
    assert (
        resolve_auto_budget(300, RetrievalOptions(), None).temperature is None
    )


@pytest.mark.parametrize(
    ('words', 'expected'),
    [([], None), (['--min-precision=0'], 0), (['--min-precision=0.3'], 0.3)],
)
def test_the_command_keeps_a_precision_of_zero(words, expected):
    parser = runpy.run_path(str(TOOL))['build_parser']()
    args = parser.parse_args(
        ['web', '-o', 'out', '--allow-test-copies', *words]
    )
    assert make_options(args).min_precision == expected


def test_settings_record_a_precision_of_zero(run, tmp_path):
    run([1, 0, 0], options=OPTIONS)
    settings = json.loads((tmp_path / 'out/settings.json').read_text())
    assert settings['min_precision'] == 0


@pytest.mark.parametrize(
    ('rule', 'counts', 'reason'),
    [
        (0, None, 'the budget 0 asks'),
        ('balance_to:max', [5, 5], 'has at least 5 training images. Give'),
        ('auto', [7, 7], "'auto' asks for 0 images .* at least 7 training"),
        ('balance_to:3', [5, 3], 'has at least 3 training images'),
        ([0, 0], [5, 9], r'the budget \[0, 0\] asks'),
    ],
)
def test_a_budget_of_nothing_is_warned_of(rule, counts, reason, said):
    assert find_budget(rule, 2, counts).tolist() == [0, 0]
    (message,) = said
    assert re.search(reason, message)
    said.clear()
    find_budget([0, 1], 2, counts)
    assert said == []


def test_one_class_is_not_judged_by_its_accuracy():
    numbers = QualityNumbers(1, 100.0, 'all', [])
    assert find_warnings(numbers) == []


def test_one_class_without_background_cannot_be_checked(run, tmp_path):
    run([1, 0, 0])
    one = ClassQueries(
        ('red',), ('{}',), np.eye(1, 4, dtype=np.float32), {'arch': 'x'}
    )
    save_queries(tmp_path / 'out/queries.npz', one)
    with pytest.raises(ValueError, match=r'out has one class and no back'):
        check_retrieval(
            tmp_path / 'out',
            [],
            val_store='val',
            val_list='val.txt',
            class_counts=[1],
        )

"""Reasons why a retrieval finds no image."""

from dataclasses import replace

import numpy as np
import pytest
from color_world import NAMES, OPTIONS, QUERIES

from ltvl_mm.retrieval.retrieval_report import describe_report
from ltvl_mm.retrieval.run_retrieval import run_retrieval
from ltvl_mm.retrieval.shortage import explain_nothing
from ltvl_mm.retrieval.task import RetrievalTask
from ltvl_mm.structures.background import Background
from ltvl_mm.structures.class_queries import ClassQueries
from ltvl_mm.utils.io import write_json


@pytest.fixture
def black():
    """One background name, which is nearest to every image."""
    queries = ClassQueries(
        ('black',),
        QUERIES.templates,
        np.eye(4, dtype=np.float32)[[3]],
        QUERIES.encoder,
    )
    return Background(queries, 'builtin', 'hash')


def test_a_precision_that_no_class_reaches_is_named(run):
    options = replace(OPTIONS, temperature=1.0, min_precision=0.9)
    match = (
        r'Removed by: the minimum precision of 0\.9 \(6 candidates\)\. Lower '
        r'--min-precision, or retrieve from a larger store$'
    )
    with pytest.raises(ValueError, match=match):
        run([2, 2, 2], options=options, excluded=[])


def test_background_names_that_argmax_prefers_are_named(
    store, tmp_path, black
):
    options = replace(OPTIONS, assign='argmax')
    task = RetrievalTask(
        store, QUERIES, np.array([2, 2, 2]), [], options, background=black
    )
    match = (
        r'Removed by: assign=argmax, as their most probable name is one of '
        r'the 1 background names \(10 images\)\. Use --assign independent or '
        r'--background none, or'
    )
    with pytest.raises(ValueError, match=match):
        run_retrieval(task, tmp_path / 'out')
    independent = replace(task, options=OPTIONS)
    assert len(run_retrieval(independent, tmp_path / 'other')[0]) == 6


def test_a_class_of_budget_zero_that_argmax_prefers_is_named():
    nothing = dict.fromkeys(
        (
            'below_min_probability',
            'below_min_precision',
            'min_precision',
            'min_probability',
            'background_names',
            'retrieved',
        ),
        0,
    )
    reason = explain_nothing(
        nothing
        | {
            'missing': 3,
            'assign': 'argmax',
            'rows_in_store': 5,
            'rows_refused_by_filters': {'min_size=9': 2},
            'skipped_rows': [],
            'rejected': [],
            'classes': [{'candidates': 0, 'name': name} for name in NAMES],
        }
    )
    assert 'the filter min_size=9 (2 images)' in reason
    assert 'most probable name is a class of budget 0 (3 images)' in reason
    assert reason.endswith(
        'Loosen the filters, use --assign independent, or retrieve from a '
        'larger store'
    )


def test_a_probability_that_background_names_make_small_is_explained(
    store, tmp_path, black
):
    options = replace(OPTIONS, min_probability=0.999)
    task = RetrievalTask(
        store, QUERIES, np.array([2, 2, 2]), [], options, background=black
    )
    match = (
        r'Removed by: the minimum probability of 0\.999 .* Fit probabilities, '
        r'which background names make small, to val \(--temperature auto '
        r'--val STORE LIST\), or'
    )
    with pytest.raises(ValueError, match=match):
        run_retrieval(task, tmp_path / 'unfitted')
    fitted = replace(task, temperature_source={'source': 'val'})
    with pytest.raises(ValueError, match='Lower --min-probability, or'):
        run_retrieval(fitted, tmp_path / 'fitted')


def test_the_classes_that_are_not_listed_are_counted(tmp_path):
    entry = dict(name='cat', retrieved=1, wanted=2, short_because='reason')
    report = dict(
        retrieved=6,
        missing=6,
        duplicates=0,
        copies_of_excluded_images=0,
        rows_refused_by_filters={},
    )
    for number, line in (
        (6, 'and 1 other class is short'),
        (7, 'and 2 other classes are short'),
    ):
        write_json(
            tmp_path / 'report.json', report | {'classes': [entry] * number}
        )
        assert describe_report(tmp_path).splitlines()[-1] == line

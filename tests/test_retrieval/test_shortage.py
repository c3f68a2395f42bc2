"""Reasons why a retrieval finds no image."""

from dataclasses import replace

import numpy as np
import pytest
from color_world import NAMES, OPTIONS, QUERIES

from ltvl_mm.retrieval.run_retrieval import run_retrieval
from ltvl_mm.retrieval.shortage import explain_nothing
from ltvl_mm.retrieval.task import RetrievalTask
from ltvl_mm.structures.background import Background
from ltvl_mm.structures.class_queries import ClassQueries


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

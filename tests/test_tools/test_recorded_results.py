"""Recorded results of projects/long_tail_methods and tables of READMEs."""

import importlib
from pathlib import Path

import pytest
from tools_in_process import fresh_modules

from ltvl_mm.utils.io import read_json

PROJECT = Path(__file__).parents[2] / 'projects/long_tail_methods'


@pytest.fixture(scope='module')
def record():
    """The command's module."""
    with fresh_modules(PROJECT):
        yield importlib.import_module('record')


def row(method, seed, total, recipe='none'):
    return {
        'method': method,
        'student': 'ResNet-18',
        'recipe': recipe,
        'seed': seed,
        'all': total,
    }


def test_the_readmes_show_the_recorded_rows(record):
    rows = read_json(record.RECORDED)['rows']
    assert record.merge_rows(rows, []) == rows  # in the tables' order
    for file, text in record.write_sections(rows).items():
        assert file.read_text(encoding='utf-8') == text, (
            f'run python {PROJECT}/record.py'
        )


def test_rows_of_a_later_run_replace_those_of_the_same_training(record):
    ride = 'RIDE, 3 experts'
    old = [row('cross-entropy', 0, 1), row('cross-entropy', 1, 2)]
    new = [row(ride, 0, 4), row('cross-entropy', 1, 3)]
    assert record.merge_rows(old, new) == [
        row('cross-entropy', 0, 1),
        row('cross-entropy', 1, 3),
        row(ride, 0, 4),
    ]
    plain = row('cross-entropy', 0, 9, recipe='plain')
    assert record.merge_rows(old, [plain]) == [*old, plain]


def test_a_row_of_no_method_is_refused(record):
    with pytest.raises(ValueError, match='no method of the study'):
        record.merge_rows([], [row('cross-entropie', 0, 1)])


def test_a_section_is_replaced_and_must_be_there_once(record):
    text = 'a\n<!-- begin x -->\n\nold\n\n<!-- end x -->\nb\n'
    new = record.replace_section(text, 'x', r'1 \1')
    assert new == 'a\n<!-- begin x -->\n\n1 \\1\n\n<!-- end x -->\nb\n'
    assert record.replace_section(new, 'x', r'1 \1') == new
    for wrong in ('a', text + text):
        with pytest.raises(ValueError, match='sections <!-- begin x -->'):
            record.replace_section(wrong, 'x', '')

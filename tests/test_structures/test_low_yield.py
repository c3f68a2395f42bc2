"""Minimum probabilities that background names undo."""

from dataclasses import replace

import pytest
from small_inputs import NAMES, write_manifest

from ltvl_mm.retrieval.retrieval_report import describe_warning
from ltvl_mm.structures.dilution import advise_threshold
from ltvl_mm.structures.manifest_file import load_manifest

SOURCE = {
    'score': 'softmax',
    'temperature': 0.07,
    'temperature_source': {'source': 'encoder'},
    'background': {'source': 'builtin'},
    'min_probability': 0.5,
    'budget': [4, 4, 1],
    'rows_in_store': 100,
}


@pytest.fixture
def kept(tmp_path):
    """Manifest of 4 of 9 wanted images."""
    return replace(
        load_manifest(write_manifest(tmp_path, NAMES, [0, 0, 1, 2])),
        source=SOURCE,
    )


def test_few_of_the_wanted_images_are_explained_by_background_names(kept):
    assert kept.explain_low_yield() == (
        'only 4 of 9 wanted images have a probability of at least 0.5: '
        'background names make all probabilities small, unless the '
        'temperature (0.07) is fitted to val'
    )
    assert describe_warning(kept).endswith(
        'Retrieve into another folder with --temperature auto --val STORE LIST'
    )


@pytest.mark.parametrize(
    'changed',
    [
        {'temperature_source': {'source': 'val', 'val_images': 50}},
        {'temperature_source': None},  # of an earlier version
        {'background': None},
        {'min_probability': 0.0},
        {'budget': [4, 4, 0]},  # half of the wanted images
        {'rows_in_store': 8},
    ],
)
def test_other_reasons_are_not_explained_by_background_names(kept, changed):
    manifest = replace(kept, source=SOURCE | changed)
    assert manifest.explain_low_yield() is None
    assert describe_warning(manifest) is None


def test_the_advised_threshold_depends_on_the_temperature():
    fit = '--temperature auto --val STORE LIST'
    assert advise_threshold(False) == '--min-probability 0.5'
    assert advise_threshold(False, 0.5) == '--min-probability above 0.5'
    assert advise_threshold(True) == f'--min-probability 0.5 {fit}'
    assert advise_threshold(True, 0.3) == f'--min-probability 0.3 {fit}'
    assert advise_threshold(None).endswith(f'background names also {fit}')

from dataclasses import replace

import numpy as np
import pytest
from study_folder import HOSTILE, QUALITY, read_study, write_study

from ltvl_mm.utils.io import write_json
from ltvl_mm.visualization.report import read_retrieval
from ltvl_mm.visualization.report.conclusion import conclude
from ltvl_mm.visualization.report.quality import assess_quality, read_quality
from ltvl_mm.visualization.report.retrieved_images import find_probabilities
from ltvl_mm.visualization.report.run_scores import compare_methods
from ltvl_mm.visualization.report.tables import choose_columns, make_rows
from ltvl_mm.visualization.report.training_images import pick_training_images


@pytest.fixture(scope='module')
def folder(tmp_path_factory):
    return write_study(tmp_path_factory.mktemp('study'))


@pytest.fixture(scope='module')
def study(folder):
    return read_study(folder, seeds=[0])


RUNS = ('plain', 'tackle')
CHANGES = {'tackle': {'all': (8.0, 5.0, 11.0), 'few': (50.0, 30.0, 70.0)}}


def test_the_verdict_is_that_of_the_comparison(study):
    found = conclude(study, CHANGES, None)
    assert found.kind == 'helps'
    assert found.sentences[0] == (
        '10 retrieved images help: tackle classifies 66.7 % of the test '
        'images correctly, 8.0 points more than plain (95 % interval +5.0 to '
        '+11.0).'
    )
    assert len(found.sentences) == 3
    losing = {'tackle': {'all': (-8.0, -11.0, -5.0)}}
    assert '(cat)' in conclude(study, losing, None).sentences[2]
    changes = CHANGES | {'tackle': CHANGES['tackle'] | {'few': (-2, -3, -1)}}
    wanted = np.full(len(study.class_names), 7)
    advice = conclude(study, changes, None, wanted=wanted).sentences[2]
    assert '--budget balance_to:7)' in advice


def test_further_methods_have_a_line_each_and_the_best_is_named(study):
    other = replace(study.runs[1], name='more')
    clip = replace(study.runs[1], name='clip', retrieved=None)
    wide = replace(study, runs=(*study.runs, other, clip))
    changes = CHANGES | {'more': {'all': (1.0, -1.0, 3.0)}}
    found = conclude(wide, changes, None)
    assert found.others == ['more: +1.0 points (-1.0 to +3.0).']
    assert found.sentences[3].startswith('The most accurate method of all is ')


@pytest.mark.parametrize(
    ('change', 'changes', 'begin'),
    [
        ({'answers': None, 'metrics': {}}, {}, 'No run has been tested'),
        ({'retrieved': None}, CHANGES, 'No verdict: no other run was'),
        ({}, {}, 'No verdict: no method with retrieved images has pred'),
    ],
)
def test_a_page_without_a_comparison_says_why(study, change, changes, begin):
    runs = tuple(replace(run, **change) for run in study.runs)
    found = conclude(replace(study, runs=runs), changes, None)
    assert found.kind == 'unknown'
    assert found.sentences[0].startswith(begin)


def test_a_baseline_with_retrieved_images_is_none(study):
    found = conclude(replace(study, baseline='tackle'), CHANGES, None)
    assert 'the baseline tackle was trained on' in found.sentences[0]


def test_warnings_on_the_retrieval_lead_to_the_next_step(
    study, folder, tmp_path
):
    retrieval = read_retrieval(folder / 'retrieved/manifest.parquet')
    assert retrieval.quality == QUALITY
    quality = assess_quality(
        retrieval.manifest,
        find_probabilities(retrieval.manifest),
        retrieval.quality,
        {},
        study.groups,
    )
    assert quality.precision == 40.0
    assert quality.is_estimated
    assert quality.rows['few'][0] == '12.5'
    assert quality.columns[-1] == 'estimated precision, %'
    step = conclude(study, CHANGES, quality).sentences[2]
    assert f'because about 40 % show their class {HOSTILE}. Take' in step


def test_quality_without_the_check_comes_from_scores_and_truth(study, folder):
    manifest = read_retrieval(folder / 'retrieved/manifest.parquet').manifest
    scored = replace(
        manifest,
        score=-np.arange(len(manifest), dtype=float),
        source={'score': 'softmax'},
    )
    probabilities = find_probabilities(scored)
    assert probabilities[0] == 0.5
    assert probabilities[1] == pytest.approx(1 / (1 + np.e))
    found = assess_quality(
        scored, probabilities, {}, {'all': np.array([9.0, 8.0])}, study.groups
    )
    assert [one['reason'] for one in found.warnings] == [
        '8 % of the retrieved images show their class',
        'in 75 % of the classes, the best image has a probability below 50 %',
    ]
    assert found.columns == ['p of image 1, %', 'precision, %']
    assert found.rows['many'] == ['50', '–']
    assert not found.is_estimated
    # Cosines are not probabilities.
    cosines = replace(manifest, source={'score': 'cosine'})
    assert find_probabilities(cosines) is None
    assert assess_quality(cosines, None, {}, {}, study.groups).rows == {}


@pytest.mark.parametrize(
    ('change', 'message'),
    [
        ({'warnings': [{'reason': 5, 'remedies': []}]}, 'warnings must be'),
        ({'warnings': [{'reason': 'x', 'remedies': 'y'}]}, 'warnings must'),
        ({'zero_shot': {'all': 'x'}}, "zero_shot: expected a number, got 'x'"),
        ({'zero_shot': {'all': float('nan')}}, 'expected a number, got nan'),
        ({'precision': []}, r'precision must be an object, got \[\]'),
        ({'precision': {'all': [5]}}, 'precision: expected a number'),
    ],
)
def test_a_broken_quality_file_is_named(tmp_path, change, message):
    write_json(tmp_path / 'quality.json', QUALITY | change)
    with pytest.raises(ValueError, match=f'quality.json.*{message}'):
        read_quality(tmp_path)


def test_the_harmonic_mean_is_shown_where_it_is_not_zero_for_all(study):
    rows = make_rows(study, compare_methods(study, draws=5))
    assert 'harmonic_mean' in choose_columns(rows)
    assert 'harmonic_mean' not in choose_columns(rows[:1])  # toads are never


def test_training_images_stay_below_the_given_folder(folder, tmp_path):
    found = pick_training_images(folder / 'train.txt', folder, 4, per_class=2)
    assert found[1] == [
        folder / 'photos/1_0.png',
        folder / 'photos/1_39.png',
    ]
    listed = tmp_path / 'list.txt'
    listed.write_text('../../etc/x.png 0\na/../b.png 1\n/etc/passwd 1\n')
    with pytest.raises(ValueError, match=r'names no image below .*such'):
        pick_training_images(listed, tmp_path / 'root', 2)
    (tmp_path / 'root').mkdir()
    (tmp_path / 'root/b.png').touch()
    found = pick_training_images(listed, tmp_path / 'root', 2)
    assert found == [[], [tmp_path / 'root/b.png']]
    (tmp_path / 'x.png').touch()
    listed.write_text('../x.png 0\n')
    with pytest.raises(ValueError, match='names no image below'):
        pick_training_images(listed, tmp_path / 'root', 2)

import re
from dataclasses import replace

import numpy as np
import pytest
from study_folder import read_study, write_study

from ltvl_mm.evaluation.functional import summarize_accuracies
from ltvl_mm.visualization.report import (
    make_study,
    read_retrieval,
    write_report,
)
from ltvl_mm.visualization.report.accuracy_chart import chart_accuracy
from ltvl_mm.visualization.report.arrow_chart import chart_arrows
from ltvl_mm.visualization.report.run_folder import RunFolder
from ltvl_mm.visualization.report.run_scores import (
    compare_methods,
    score_classes,
    score_run,
)
from ltvl_mm.visualization.report.tables import make_rows
from ltvl_mm.visualization.report.training_chart import chart_curves


@pytest.fixture(scope='module')
def folder(tmp_path_factory):
    return write_study(tmp_path_factory.mktemp('study'), seeds=(0, 1))


@pytest.fixture(scope='module')
def study(folder):
    return read_study(folder)


@pytest.fixture(scope='module')
def retrieval(folder):
    return read_retrieval(folder / 'retrieved/manifest.parquet')


def test_a_row_per_method_with_its_difference_to_the_baseline(study):
    plain, tackle = make_rows(study, compare_methods(study))
    assert (plain['method'], plain['seeds']) == ('plain', 2)
    assert plain['cells']['many'] == '100.0 ± 0.0'
    assert not plain['differences']
    # 58.3 of the images of the rare classes instead of 8.3.
    assert tackle['cells']['few'] == '58.3 ± 0.0'
    mean, low, high = re.findall(r'[+-]\d+\.\d', tackle['differences']['few'])
    assert mean == '+50.0'
    assert float(low) < 50 < float(high)


def test_whom_the_pictures_are_from_is_said_below_them(
    study, retrieval, tmp_path
):
    page = tmp_path / 'page.html'
    write_report(
        page, study, retrieval=retrieval, attribution='A <b>painter</b>, CC'
    )
    text = page.read_text()
    words = 'Pictures: A &lt;b&gt;painter&lt;/b&gt;, CC</'
    assert text.count(words) == 2
    assert text.index('id="gallery"') < text.index(words)
    assert f'<footer class="quiet">{words}footer>' in text


def test_scores_are_those_of_the_metric(study):
    run = study.runs[1]
    assert score_run(study, run) == summarize_accuracies(
        run.answers.pred, run.answers.labels, study.groups
    )
    np.testing.assert_allclose(
        score_classes(study, 'tackle'), [[500 / 6, 400 / 6, 400 / 6, 50]] * 2
    )


def test_what_was_written_down_of_a_test_serves_without_predictions(study):
    metrics = {'shot/all': 61.5, 'shot/per_class': [1.0, None, 3.0, 4.0]}
    run = RunFolder('elsewhere', study.runs[0].path, metrics=metrics)
    other = replace(study, runs=(*study.runs, run))
    assert score_run(other, run) == {'all': 61.5}
    np.testing.assert_array_equal(
        score_classes(other, 'elsewhere'), [[1, np.nan, 3, 4]]
    )
    assert 'elsewhere' not in compare_methods(other, draws=5)
    assert make_rows(other, compare_methods(other))[-1]['cells']['few'] == '–'


@pytest.mark.parametrize(
    'change',
    [
        lambda run: replace(run, answers=replace(run.answers, images='else')),
        lambda run: replace(run, answers=None, metrics={'shot/all': 50.0}),
        lambda run: replace(run, counts=np.array([3, 12, 40, 150])),
        lambda run: replace(run, seed=7),
    ],
)
def test_runs_of_other_images_lists_or_seeds_are_not_paired(
    study, tmp_path, change
):
    odd = change(study.runs[1])
    other = replace(study, runs=(study.runs[0], odd))
    assert compare_methods(other, draws=5) == {}
    _, missing = write_report(tmp_path / 'x.html', other)
    assert 'difference of tackle' in missing['the page']


def test_each_seed_is_scored_by_its_own_training_list(study, tmp_path):
    # Seed 1 drew its list anew, and has the frequent classes last.
    turned = tuple(
        replace(run, counts=run.counts[::-1]) if run.seed else run
        for run in study.runs
    )
    other = replace(study, runs=turned)
    plain, tackle = make_rows(other, compare_methods(other))
    # Seed 0: cats alone are many-shot, all right; seed 1: toads, all wrong.
    assert plain['cells']['many'] == '50.0 ± 70.7'
    assert tackle['cells']['many'] == '66.7 ± 23.6'
    few = tackle['differences']['few']
    assert few.startswith('+20.8')  # +50.0 of seed 0, -8.3 of seed 1
    assert score_classes(other, 'plain').shape == (1, 4)
    write_report(tmp_path / 'x.html', other)
    page = (tmp_path / 'x.html').read_text()
    assert 'Of seed 0 alone: the other 2 runs have other training' in page
    # What all share needs no such words.
    write_report(tmp_path / 'x.html', study)
    assert 'alone: the other' not in (tmp_path / 'x.html').read_text()


def test_no_run_is_scored_by_a_list_that_may_be_another_s(study, tmp_path):
    # Seed 1's list is gone, and others have two.
    turned = [replace(study.runs[0], name='x', counts=np.array([3] * 4))]
    gone = [
        replace(run, counts=None, metrics={'shot/many': 12.5})
        for run in study.runs[2:]
    ]
    other = replace(study, runs=(*study.runs[:2], *gone, *turned))
    scores = score_run(other, gone[0])
    assert scores['many'] == 12.5  # as its own test wrote it down
    assert 'few' not in scores
    assert scores['all'] == score_run(study, study.runs[2])['all']
    assert not other.is_shown(gone[0])
    assert 'Of seed 0 alone: the other 3 runs' in other.caveat
    _, missing = write_report(tmp_path / 'x.html', other)
    assert missing.keys() == {'the page'}
    # The lists of the others agree, so it must be the same.
    agreed = replace(study, runs=(*study.runs[:2], *gone))
    assert score_run(agreed, gone[0])['few'] > 0
    assert agreed.caveat == ''


def test_groups_of_another_list_are_not_those_that_a_test_wrote_down(study):
    # The list that is given has no many-shot class; the test's had one.
    run = replace(
        study.runs[0],
        counts=np.array([3] * 4),
        metrics={'shot/many': 100.0, 'shot/few': 8.0},
    )
    scores = score_run(make_study([run]), run)
    assert 'many' not in scores
    assert scores['few'] == pytest.approx(scores['all'])


def test_many_methods_stand_each_beside_the_baseline(study):
    methods = [
        replace(study.runs[1], name=f'<b>{number}</b>') for number in range(7)
    ]
    few = replace(study, runs=(study.runs[0], *methods[:6]))
    assert [v.name for v in chart_accuracy(few).variants] == ['']
    many = replace(study, runs=(study.runs[0], *methods))
    for chart in (chart_accuracy(many), chart_curves(many)):
        assert [v.name for v in chart.variants] == [m.name for m in methods]
        names = {trace.name for trace in chart.variants[0].figure.data}
        assert names == {'plain', '&lt;b>0&lt;/b>'}


def test_classes_that_one_seed_never_knows_are_counted_in_that_seed(study):
    chart = chart_accuracy(study)
    # Of plain's four classes toads are never right; of tackle's none.
    assert 'never right: plain 25%; tackle 0%.' in chart.variants[0].text
    answers = study.runs[2].answers
    pred = np.where(answers.labels == 3, 3, 0)
    other = replace(study.runs[2], answers=replace(answers, pred=pred))
    swapped = replace(study, runs=(*study.runs[:2], other, *study.runs[3:]))
    # Three of four in one seed, cats apart from that in the other.
    text = chart_accuracy(swapped).variants[0].text
    assert 'never right: plain 38%;' in text


def test_an_arrow_ends_at_the_images_that_its_own_run_retrieved(study):
    few = replace(
        study.runs[1], name='budget 1', retrieved=np.array([1, 1, 1, 1])
    )
    chart = chart_arrows(replace(study, runs=(*study.runs, few)))
    ends = {
        variant.name: [
            trace.x[1]
            for trace in variant.figure.data
            if trace.mode == 'lines+markers'
        ]
        for variant in chart.variants
    }
    # Cats first, who were 150, and 1 was retrieved.
    assert ends == {'tackle': [151, 42, 15], 'budget 1': [151, 41, 13]}


@pytest.mark.parametrize(
    ('options', 'message'),
    [
        (dict(baseline='none'), r"one of \['plain', 'tackle'\], got 'none'"),
        (
            dict(class_names=['a', 'b']),
            "different classes: .*'class names': 2",
        ),
    ],
)
def test_a_study_that_does_not_fit_together_is_refused(
    study, options, message
):
    with pytest.raises(ValueError, match=message):
        make_study(study.runs, **options)
    with pytest.raises(ValueError, match='none of the folders'):
        make_study([])


def test_an_untested_run_of_other_classes_is_left_out_by_name(study, tmp_path):
    foreign = RunFolder(
        'foreign',
        tmp_path / 'run',
        counts=np.array([5, 6]),
        missing={'predictions': 'test.npz does not exist'},
    )
    found = make_study([foreign, *study.runs])
    assert found.runs == study.runs
    assert found.baseline == 'plain'
    _, missing = write_report(tmp_path / 'x.html', found)
    reasons = missing[f'foreign ({tmp_path}/run)']
    assert reasons['predictions'] == 'test.npz does not exist'
    assert (
        'are of 2 classes, but the predictions of plain, seed 0 of 4'
        in (reasons['the run'])
    )
    with pytest.raises(ValueError, match="'foreign' cannot be shown: it has"):
        make_study([foreign, *study.runs], baseline='foreign')
    # Which of two untested runs is the foreign one is unknown.
    other = replace(foreign, name='other', counts=np.array([1, 2, 3]))
    with pytest.raises(ValueError, match='of different classes'):
        make_study([foreign, other])


def test_two_runs_of_a_name_and_a_seed_are_no_two_seeds(study):
    with pytest.raises(ValueError, match='are both plain, seed 0; tell them'):
        make_study([study.runs[0], replace(study.runs[0])])
    # Runs without a seed are unknown.
    unknown = replace(study.runs[0], seed=None)
    assert len(make_study([unknown, replace(unknown)]).runs) == 2


def test_other_classes_over_other_images_are_refused(study):
    answers = replace(
        study.runs[1].answers,
        images='others',
        class_names=('cat', 'wolf', 'owl', 'toad'),
    )
    with pytest.raises(ValueError, match="class 1 is 'dog' and 'wolf'"):
        make_study([study.runs[0], replace(study.runs[1], answers=answers)])

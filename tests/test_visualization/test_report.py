import re
import shutil
from dataclasses import replace

import numpy as np
import pytest
from study_folder import HOSTILE, NAMES, write_study

from ltvl_mm.evaluation.functional import summarise_accuracies
from ltvl_mm.structures.run_folder import RunFolder, read_run
from ltvl_mm.visualization.report import (
    make_study,
    read_retrieval,
    write_report,
)
from ltvl_mm.visualization.report.gallery import (
    encode_thumbnail,
    pick_rows,
    plan_gallery,
)
from ltvl_mm.visualization.report.page import make_rows
from ltvl_mm.visualization.report.retrieval import measure_precision
from ltvl_mm.visualization.report.study import (
    compare_methods,
    score_classes,
    score_run,
)


@pytest.fixture(scope='module')
def folder(tmp_path_factory):
    return write_study(tmp_path_factory.mktemp('study'), seeds=(0, 1))


@pytest.fixture(scope='module')
def study(folder):
    return make_study(
        [
            read_run(folder / f'seed{seed}/{name}', name)
            for seed in (0, 1)
            for name in ('plain', 'tackle')
        ]
    )


@pytest.fixture(scope='module')
def retrieval(folder):
    return read_retrieval(folder / 'retrieved/manifest.parquet')


def test_a_row_per_method_with_its_difference_to_the_baseline(study):
    plain, tackle = make_rows(study)
    assert (plain['method'], plain['seeds']) == ('plain', 2)
    assert plain['cells']['many'] == '100.0 ± 0.0'
    assert not plain['differences']
    # 58.3 of the images of the rare classes instead of 8.3.
    assert tackle['cells']['few'] == '58.3 ± 0.0'
    mean, low, high = re.findall(r'[+-]\d+\.\d', tackle['differences']['few'])
    assert mean == '+50.0'
    assert float(low) < 50 < float(high)


def test_scores_are_those_of_the_metric(study):
    run = study.runs[1]
    assert score_run(study, run) == summarise_accuracies(
        run.answers.pred, run.answers.labels, study.groups
    )
    np.testing.assert_allclose(
        score_classes(study, 'tackle'), [500 / 6, 400 / 6, 400 / 6, 50]
    )


def test_what_was_written_down_of_a_test_serves_without_predictions(study):
    metrics = {'shot/all': 61.5, 'shot/per_class': [1.0, None, 3.0, 4.0]}
    run = RunFolder('elsewhere', study.runs[0].path, metrics=metrics)
    other = replace(study, runs=(*study.runs, run))
    assert score_run(other, run) == {'all': 61.5}
    np.testing.assert_array_equal(
        score_classes(other, 'elsewhere'), [1, np.nan, 3, 4]
    )
    assert 'elsewhere' not in compare_methods(other, draws=5)
    assert make_rows(other)[-1]['cells']['few'] == '–'


def test_runs_of_other_images_are_not_paired(study):
    last = study.runs[-1]
    odd = replace(last, answers=replace(last.answers, images='others'))
    other = replace(study, runs=(study.runs[0], odd))
    assert compare_methods(other, draws=5) == {}


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


def test_the_page_holds_all_parts_and_asks_for_nothing(
    study, retrieval, tmp_path
):
    truth = {f'k{number}': NAMES[0] for number in range(8)}
    missing = write_report(
        tmp_path / 'x.html', study, retrieval=retrieval, truth=truth
    )
    assert missing == {}
    page = (tmp_path / 'x.html').read_text()
    for part in (
        'results accuracy arrows frequency confusion reliability precision '
        'features curves gallery copies classes commands missing'
    ).split():
        assert f'<section id="{part}">' in page
    body = page[page.index('<body>') :]
    assert not re.findall(r'(?:src|href)="(?!data:|#)', body)
    assert '10 of 10' in body
    assert 'python tools/train.py configs/x.py' in body


def test_captions_and_names_are_text(study, retrieval, tmp_path):
    write_report(tmp_path / 'x.html', study, retrieval=retrieval)
    page = (tmp_path / 'x.html').read_text()
    assert HOSTILE not in page
    assert '&lt;script&gt;window.hit = 1&lt;/script&gt;' in page
    assert 'onerror="window' not in page


def test_what_is_missing_is_said_and_the_rest_is_shown(study, tmp_path):
    # Killed before its test, its config gone.
    killed = RunFolder(
        'killed',
        study.runs[0].path,
        curves=study.runs[0].curves,
        missing={'predictions': 'test.npz does not exist'},
    )
    missing = write_report(tmp_path / 'x.html', make_study([killed]))
    assert set(missing['the page']) == {
        'accuracy',
        'arrows',
        'frequency',
        'confusion',
        'reliability',
        'precision',
        'features',
        'gallery',
    }
    page = (tmp_path / 'x.html').read_text()
    assert 'test.npz does not exist' in page
    assert '<section id="curves">' in page
    assert 'No run has been tested' in page


def test_a_manifest_alone_makes_a_gallery(study, folder, tmp_path):
    shutil.copytree(folder / 'retrieved', tmp_path / 'web')
    for file in ('report.json', 'commands.jsonl'):
        (tmp_path / 'web' / file).unlink()
    shutil.rmtree(tmp_path / 'web/copies')
    shutil.rmtree(tmp_path / 'web/images')
    bare = read_retrieval(tmp_path / 'web/manifest.parquet')
    missing = write_report(tmp_path / 'x.html', study, retrieval=bare)
    assert set(missing['the retrieval']) == {
        'report',
        'near-copies',
        'commands',
    }
    page = (tmp_path / 'x.html').read_text()
    assert '10 files could not be read' in page
    assert 'None is at hand.' in page


def test_a_broken_feature_file_is_left_out_by_name(study, tmp_path):
    (tmp_path / 'broken.npz').write_bytes(b'PK')
    broken = replace(
        study.runs[0], name='odd', features=tmp_path / 'broken.npz'
    )
    write_report(
        tmp_path / 'x.html', replace(study, runs=(broken, *study.runs[1:]))
    )
    page = (tmp_path / 'x.html').read_text()
    assert 'Left out: odd, seed 0' in page


def test_the_page_keeps_its_limit_by_a_smaller_gallery(
    study, retrieval, tmp_path
):
    sizes = []
    for limit in (10_000_000, 0):
        file = tmp_path / f'{limit}.html'
        write_report(file, study, retrieval=retrieval, limit=limit)
        sizes.append(file.read_text().count('<li tabindex="0"'))
    assert sizes == [10, 1]
    assert '3 classes are left out' in file.read_text()


def test_rows_of_a_class_are_the_best_the_worst_and_between():
    rows = pick_rows(np.array([5, 0, 2, 100]), 3)
    assert [some.tolist() for some in rows] == [
        [0, 2, 4],
        [],
        [5, 6],
        [7, 57, 106],
    ]


def test_a_gallery_without_images_is_empty(retrieval):
    nothing = replace(
        retrieval.manifest,
        **{
            name: getattr(retrieval.manifest, name)[:0]
            for name in ('class_id rank score cosine key file caption'.split())
        },
    )
    shown, most = plan_gallery(nothing, retrieval.root, 10_000, markup=0)
    assert (len(shown), most) == (0, 0)


def test_a_broken_picture_has_no_thumbnail(tmp_path, retrieval):
    (tmp_path / 'x.jpg').write_bytes(b'half')
    assert encode_thumbnail(tmp_path / 'x.jpg') == ''
    assert encode_thumbnail(tmp_path / 'gone.jpg') == ''
    whole = encode_thumbnail(retrieval.root / retrieval.manifest.file[0])
    assert whole.startswith('data:image/webp;base64,')


def test_precision_counts_only_images_whose_content_is_known(study, retrieval):
    # Keys k0 ... k9 of classes 0 1 1 2 2 2 3 3 3 3.
    truth = {'k0': NAMES[0], 'k1': NAMES[1], 'k2': '', 'k3': NAMES[0]}
    curves = measure_precision(retrieval.manifest, truth, study.groups)
    assert {name: values.tolist() for name, values in curves.items()} == {
        'many': [100],
        'medium': [100, 50],
        'few': [0],
        'all': [pytest.approx(200 / 3), 50],
    }

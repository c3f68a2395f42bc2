"""The page of a report: its parts, gallery, limits, and what is missing."""

import re
import shutil
from dataclasses import replace

import numpy as np
import pytest
from small_inputs import write_manifest
from study_folder import HOSTILE, NAMES, read_study, write_study

from ltvl_mm.structures.features import Features, save_features
from ltvl_mm.utils.io import read_json, write_json
from ltvl_mm.visualization.report import (
    make_study,
    pick_training_images,
    read_retrieval,
    write_report,
)
from ltvl_mm.visualization.report.gallery import (
    encode_thumbnail,
    pick_rows,
    plan_gallery,
)
from ltvl_mm.visualization.report.retrieved_images import measure_precision
from ltvl_mm.visualization.report.run_folder import RunFolder


@pytest.fixture(scope='module')
def folder(tmp_path_factory):
    return write_study(tmp_path_factory.mktemp('study'), seeds=(0, 1))


@pytest.fixture(scope='module')
def study(folder):
    return read_study(folder)


@pytest.fixture(scope='module')
def retrieval(folder):
    return read_retrieval(folder / 'retrieved/manifest.parquet')


def test_the_page_holds_all_parts_and_asks_for_nothing(
    study, retrieval, folder, tmp_path
):
    truth = {f'k{number}': NAMES[0] for number in range(8)}
    _, missing = write_report(
        tmp_path / 'x.html',
        study,
        retrieval=retrieval,
        truth=truth,
        training=pick_training_images(folder / 'train.txt', folder, 4),
    )
    assert missing == {}
    page = (tmp_path / 'x.html').read_text()
    for part in (
        'verdict results quality probabilities precision accuracy classes '
        'arrows frequency confusion reliability features curves gallery '
        'copies commands missing'
    ).split():
        assert f'<section id="{part}"' in page
    body = page[page.index('<body') :]
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
    _, missing = write_report(tmp_path / 'x.html', make_study([killed]))
    assert set(missing['the page']) == {
        'accuracy',
        'arrows',
        'frequency',
        'confusion',
        'reliability',
        'precision',
        'probabilities',
        'features',
        'gallery',
    }
    page = (tmp_path / 'x.html').read_text()
    assert 'test.npz does not exist' in page
    assert '<section id="curves">' in page
    assert 'No run has been tested' in page


def test_a_manifest_alone_makes_a_gallery(study, folder, tmp_path):
    shutil.copytree(folder / 'retrieved', tmp_path / 'web')
    for file in ('report.json', 'quality.json', 'commands.jsonl'):
        (tmp_path / 'web' / file).unlink()
    shutil.rmtree(tmp_path / 'web/copies')
    shutil.rmtree(tmp_path / 'web/images')
    bare = read_retrieval(tmp_path / 'web/manifest.parquet')
    _, missing = write_report(tmp_path / 'x.html', study, retrieval=bare)
    assert set(missing['the retrieval']) == {
        'report',
        'near-duplicates',
        'commands',
        'quality',
    }
    page = (tmp_path / 'x.html').read_text()
    assert '10 files could not be read' in page
    assert 'No picture is available.' in page


@pytest.mark.parametrize(
    'spoil',
    [
        lambda file: file.write_bytes(b'PK'),
        lambda file: file.write_bytes(b''),
        lambda file: save_features(
            file,
            Features(
                np.ones((2, 3), np.float32), np.zeros(2, int), tuple('ab')
            ),
        ),
        lambda file: save_features(
            file,
            Features(
                np.ones((9, 3), np.float32), np.full(9, 4), tuple('abcdefghi')
            ),
        ),
    ],
)
def test_a_broken_feature_file_is_left_out_by_name(study, tmp_path, spoil):
    spoil(tmp_path / 'broken.npz')
    broken = replace(
        study.runs[0], name='odd', features=tmp_path / 'broken.npz'
    )
    write_report(
        tmp_path / 'x.html', replace(study, runs=(broken, *study.runs[1:]))
    )
    page = (tmp_path / 'x.html').read_text()
    assert 'Left out: odd, seed 0' in page


@pytest.mark.parametrize(
    ('file', 'content', 'part'),
    [
        ('copies/copies.json', '[{"key": "k1"}]', 'near-duplicates'),
        ('copies/copies.json', '5', 'near-duplicates'),
        ('report.json', '[1]', 'report'),
        ('report.json', '{"classes": [{}]}', 'report'),
        ('commands.jsonl', '{"command": "x"}', 'commands'),
    ],
)
def test_a_part_of_a_retrieval_of_another_shape_is_named(
    study, folder, tmp_path, file, content, part
):
    shutil.copytree(folder / 'retrieved', tmp_path / 'web')
    (tmp_path / 'web' / file).write_text(content)
    bare = read_retrieval(tmp_path / 'web/manifest.parquet')
    _, missing = write_report(tmp_path / 'x.html', study, retrieval=bare)
    assert list(missing['the retrieval']) == [part]


@pytest.mark.parametrize(
    ('file', 'name', 'value', 'message'),
    [
        ('report.json', 'not_placed', 'x', "class 0: not_placed must .* 'x'"),
        ('report.json', 'wanted', 'four', "class 0: wanted must .* 'four'"),
        ('report.json', 'duplicates', -1, 'duplicates must be a whole .* -1'),
        ('report.json', 'short_because', [], 'short_because must be text'),
        ('copies/copies.json', 'cosine', None, 'entry 0: cosine must be a'),
        ('copies/copies.json', 'key', 5, 'entry 0: key must be text, got 5'),
        ('copies/copies.json', 'class_ids', [4], r'numbers in \[0, 4\), got'),
        ('copies/copies.json', 'picture', '../x', 'path inside the folder'),
    ],
)
def test_a_value_of_another_type_is_named_and_the_page_appears(
    study, folder, tmp_path, file, name, value, message
):
    shutil.copytree(folder / 'retrieved', tmp_path / 'web')
    content = read_json(tmp_path / 'web' / file)
    entries = content['classes'] if isinstance(content, dict) else content
    entries[0][name] = value
    write_json(tmp_path / 'web' / file, content)
    found = read_retrieval(tmp_path / 'web/manifest.parquet')
    _, missing = write_report(tmp_path / 'x.html', study, retrieval=found)
    (reason,) = missing['the retrieval'].values()
    assert re.search(message, reason)
    assert '<section id="gallery">' in (tmp_path / 'x.html').read_text()


def test_a_retrieval_for_other_classes_is_refused(study, folder, tmp_path):
    names = ('a', 'b')
    file = write_manifest(tmp_path / 'web', names, [0, 1])
    with pytest.raises(ValueError, match=r'for 2 classes, but the runs .* 4'):
        write_report(
            tmp_path / 'x.html', study, retrieval=read_retrieval(file)
        )


def test_the_page_keeps_its_limit_by_a_smaller_gallery(
    study, retrieval, tmp_path
):
    sizes = []
    for limit in (10_000_000, 0):
        file = tmp_path / f'{limit}.html'
        write_report(file, study, retrieval=retrieval, limit=limit)
        sizes.append(file.read_text().count('<li role="option"'))
    assert sizes == [10, 1]
    assert 'its best; more would make the page too large' in file.read_text()
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

"""Retrievals of a CLIP that knows the classes, and of one that does not."""

import json

import numpy as np
import pytest
from web_memory import ENCODER, write_store

from ltvl_mm.apis.quality_text import describe_quality
from ltvl_mm.apis.retrieval_check import check_retrieval
from ltvl_mm.retrieval.run_retrieval import run_retrieval
from ltvl_mm.retrieval.task import RetrievalOptions, RetrievalTask
from ltvl_mm.structures.class_counts import group_classes
from ltvl_mm.structures.class_queries import ClassQueries, save_queries
from ltvl_mm.structures.image_list import ImageList, write_image_list
from ltvl_mm.structures.manifest_file import load_manifest
from ltvl_mm.utils.io import write_json
from ltvl_mm.visualization.report import read_retrieval
from ltvl_mm.visualization.report.quality import assess_quality
from ltvl_mm.visualization.report.retrieved_images import find_probabilities

CLASSES, DIM, VAL = 8, 24, 4
COUNTS = [200, 150, 60, 50, 30, 10, 5, 3]


@pytest.fixture(scope='module')
def write(tmp_path_factory):
    """Function that writes a retrieval; ``knowledge`` 0 shuffles the names.

    A shuffled text tower is a CLIP whose classes are not those of the photos.
    """

    def run(knowledge):
        rng = np.random.default_rng(0)
        folder = tmp_path_factory.mktemp('check')
        centers = np.linalg.qr(rng.normal(size=(DIM, DIM)))[0][:CLASSES]

        def draw(labels):
            points = centers[labels] + rng.normal(size=(len(labels), DIM)) / 15
            points /= np.linalg.norm(points, axis=1, keepdims=True)
            return points.astype(np.float32)

        texts = centers if knowledge else centers[np.roll(range(CLASSES), 1)]
        queries = ClassQueries(
            tuple(f'class {k}' for k in range(CLASSES)),
            ('{}',),
            texts.astype(np.float32),
            ENCODER,
        )
        web = write_store(
            folder / 'web', [draw(rng.integers(CLASSES, size=400))]
        )
        labels = np.repeat(np.arange(CLASSES), VAL)
        val = write_store(folder / 'val', [draw(labels)])
        paths = tuple(f'0/{row}' for row in range(len(labels)))
        write_image_list(folder / 'val.txt', ImageList(paths, labels))
        options = RetrievalOptions(temperature=0.05, copy='none')
        budget = np.full(CLASSES, 12)
        task = RetrievalTask(web, queries, budget, (), options)
        run_retrieval(task, folder / 'retrieved')
        save_queries(folder / 'retrieved/queries.npz', queries)
        return folder, web, val

    return run


def check(folder, web, val):
    return check_retrieval(
        folder / 'retrieved',
        [web],
        val_store=val,
        val_list=folder / 'val.txt',
        class_counts=COUNTS,
    )


def test_no_warning_if_clip_knows_the_classes(write):
    result = check(*write(1))
    assert result['warnings'] == []
    assert result['zero_shot']['all'] == 100
    assert result['precision']['all'] > 99
    assert result['uncertain_classes'] == 0
    first = result['classes'][0]
    assert (first['name'], first['group']) == ('class 0', 'many')
    assert first['probability_1'] > first['probability_10'] > 0.9
    assert first['agreement'] == 100
    assert first['probability_30'] is None  # 12 were retrieved
    text = describe_quality(result)
    assert 'no warning' in text
    assert (
        'the precision is an estimate; without background names and with few '
        'classes it is too high' in text
    )
    assert '| few | 100.0 |' in text
    json.dumps(result)


def test_warnings_if_clip_takes_other_classes_for_them(write):
    result = check(*write(0))
    kinds = [warning['kind'] for warning in result['warnings']]
    assert kinds == ['zero_shot', 'scores', 'precision']
    assert result['zero_shot']['all'] == 0
    assert result['precision']['all'] == 0
    text = describe_quality(result)
    assert 'WARNING: CLIP recognizes 0.0 % of the val images' in text
    assert 'Rename classes in class_names.txt' in text


def test_few_val_images_are_judged_by_probabilities(write, monkeypatch):
    monkeypatch.setitem(globals(), 'VAL', 2)
    found = write(1)
    result = check(*found)
    assert result['precision_by']['all'] == 'probabilities calibrated on val'
    assert result['precision']['all'] > 95
    assert result['classes'][0]['agreement'] is None
    assert result['warnings'] == []


def test_the_tool_writes_what_it_prints(write, run_here):
    folder, web, val = write(0)
    log = run_here(
        'python',
        'tools/analysis_tools/check_retrieval.py',
        folder / 'retrieved',
        *('--store', web.root, '--val-store', val.root),
        *('--val-list', folder / 'val.txt'),
        *('--class-counts', write_counts(folder)),
    )
    assert 'WARNING: CLIP recognizes 0.0 %' in log
    written = json.loads((folder / 'retrieved/quality.json').read_text())
    assert len(written['classes']) == CLASSES
    assert written['warnings'][0]['kind'] == 'zero_shot'


def test_images_of_another_store_are_refused(write):
    folder, _, val = write(1)
    with pytest.raises(
        ValueError, match=r'of the 96 .*manifest\.parquet are not'
    ):
        check(folder, val, val)


def test_other_images_of_the_same_keys_are_refused(write):
    folder, web, val = write(1)
    rows = web.read_rows(np.arange(len(web)))
    rounded = rows + np.float32(2e-5)
    check(folder, write_store(folder / 'rounded', [rounded]), val)
    other = write_store(folder / 'other', [np.roll(rows, 1, axis=0)])
    key = load_manifest(folder / 'retrieved/manifest.parquet').key[0]
    match = (
        rf"from another store: image '{key}' has the cosine 0\.9\d* to its "
        rf'class in the manifest and -?0\.\d* in {other.root} .* of the '
        rf'store with fingerprint {web.fingerprint[:12]}\.\.\., and '
        rf'{other.root} has {other.fingerprint[:12]}'
    )
    with pytest.raises(ValueError, match=match):
        check(folder, other, val)


def write_counts(folder):
    (folder / 'counts.json').write_text(json.dumps(COUNTS))
    return folder / 'counts.json'


def test_the_report_page_reads_a_check(write):
    folder, *stores = write(0)
    result = check(folder, *stores)
    write_json(folder / 'retrieved/quality.json', result)
    found = read_retrieval(folder / 'retrieved/manifest.parquet')
    assert 'quality' not in found.missing
    quality = assess_quality(
        found.manifest,
        find_probabilities(found.manifest),
        found.quality,
        {},
        group_classes(np.array(COUNTS)),
    )
    assert quality.warnings == json.loads(json.dumps(result['warnings']))
    assert quality.precision == result['precision']['all']
    # The page computes probabilities from scores, the check from embeddings.
    column = quality.columns.index('p of image 1, %')
    assert quality.rows['few'][column] == (
        f'{100 * result["groups"]["few"]["probability_1"]:.0f}'
    )

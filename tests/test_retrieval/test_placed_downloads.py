"""Downloads of all three formats of img2dataset become a training folder."""

import json
import os

import numpy as np
import pytest
from retrieved_folder import (
    DEAD,
    EMBEDDED,
    PLACEHOLDER,
    SAME,
    STRANGER,
    WEB_PAGE,
    draw,
    write_files,
    write_parquet,
    write_retrieved,
    write_webdataset,
)
from web_memory import read_folder, save

from ltvl_mm.datasets.retrieved import RetrievedDataset
from ltvl_mm.retrieval.reading import placed_downloads
from ltvl_mm.retrieval.reading.missing_images import describe_missing
from ltvl_mm.retrieval.reading.placed_downloads import place_downloads
from ltvl_mm.retrieval.retrieval_report import describe_report
from ltvl_mm.structures.manifest_file import load_manifest
from ltvl_mm.visualization.report.retrieved_images import read_retrieval

SMALLER = (
    'http://a/both',
    save(draw(0).resize((40, 40)), 'JPEG', quality=80),
)
CLEAR = ('http://a/clear', EMBEDDED['00000/000000002'])


@pytest.fixture
def retrieved(tmp_path):
    return write_retrieved(tmp_path / 'retrieved')


@pytest.fixture(params=[write_webdataset, write_files, write_parquet])
def write_downloads(request, tmp_path):
    def write(*found, name='downloads'):
        request.param(tmp_path / name, found)
        return [str(tmp_path / name)]

    return write


def test_downloads_become_a_manifest_that_trains(retrieved, write_downloads):
    full = (retrieved / 'manifest.parquet').read_bytes()
    downloads = write_downloads(STRANGER, DEAD, CLEAR, PLACEHOLDER, SMALLER)
    report = place_downloads(retrieved, downloads)
    manifest = load_manifest(retrieved / 'manifest.parquet')
    assert manifest.class_id.tolist() == [0, 0, 1]
    assert manifest.rank.tolist() == [0, 1, 0]
    assert manifest.score.tolist() == np.linspace(1, 0, 6)[[0, 2, 3]].tolist()
    assert manifest.caption == ('caption 0', 'caption 2', 'caption 3')
    # The transparent image was converted, and has a new suffix.
    files = ['00000/00000.jpg', '00000/00002.png', '00001/00000.jpg']
    assert list(manifest.file) == [f'images/{file}' for file in files]
    assert manifest.source['counts'] == [2, 1, 0]
    assert manifest.source['counts_before_download'] == [3, 2, 1]
    images = read_folder(retrieved / 'images')
    assert sorted(images) == files
    assert images[files[0]] == images[files[2]] == SMALLER[1]
    assert (retrieved / 'manifest_full.parquet').read_bytes() == full
    pipeline = [dict(type='LoadImageFromFile')]
    data = RetrievedDataset(
        str(retrieved / 'manifest.parquet'), pipeline=pipeline
    )
    assert [data[row]['img'].shape[0] for row in range(3)] == [40, 64, 40]
    assert (data[1]['img'][:20, :20] == 255).all()  # on white
    assert report['placed_now'] == {'perceptual hash': 2, 'same bytes': 1}


def test_missing_images_are_reported_per_class(retrieved, write_downloads):
    downloads = write_downloads(STRANGER, DEAD, WEB_PAGE, PLACEHOLDER, SAME)
    report = place_downloads(retrieved, downloads)
    assert json.loads((retrieved / 'missing.json').read_text()) == report
    totals = ('wanted', 'placed', 'missing', 'without_url')
    assert [report[name] for name in totals] == [6, 2, 4, 1]
    assert report['images_not_wanted'] == 1
    red, green, blue = report['classes']
    assert [red[name] for name in totals] == [3, 1, 2, 0]
    dead, page = red['first_missing']
    assert dead == {
        'key': '00000/000000001',
        'url': 'http://a/dead',
        'reason': 'not downloaded',
    }
    assert page['reason'].endswith('no known image format')
    (moved,) = green['first_missing']
    assert 'another image: its perceptual hash differs in' in moved['reason']
    (lost,) = blue['first_missing']
    assert lost['reason'] == 'no URL'
    text = describe_missing(report)
    assert '2 of 6 retrieved images are in place (0 from' in text
    assert 'red: 2 of 3 missing: 00000/000000001, 00000/000000002' in text
    assert 'images that were refused: 2, first: ' in text


def test_report_of_the_retrieval_gets_the_counts_in_place(
    retrieved, write_downloads, tmp_path
):
    before = json.loads((retrieved / 'report.json').read_text())
    place_downloads(
        retrieved, write_downloads(SAME, PLACEHOLDER), out=tmp_path / 'out'
    )
    found = json.loads((tmp_path / 'out' / 'report.json').read_text())
    totals = [found[name] for name in ('retrieved', 'placed', 'not_placed')]
    assert totals == [6, 2, 4]
    counts = [(e['placed'], e['not_placed']) for e in found['classes']]
    assert counts == [(1, 2), (1, 1), (0, 1)]
    text = describe_report(tmp_path / 'out')
    assert '6 of 6 images retrieved' in text
    assert (
        f'in place: 2 images; 4 are missing, listed in {tmp_path}/out/missing.'
        in text
    )
    assert 'red: 2 of 3 images are missing' in text
    # The page of the report reads the same counts.
    page = read_retrieval(tmp_path / 'out' / 'manifest.parquet')
    assert page.counts.tolist() == [1, 1, 0]
    assert page.describe_class(0)['not_placed'] == 2
    place_downloads(retrieved, write_downloads(SAME, CLEAR, name='more'))
    found = json.loads((retrieved / 'report.json').read_text())
    assert (found['placed'], found['not_placed']) == (3, 3)
    for entry in (found, *found['classes']):
        del entry['placed'], entry['not_placed']
    assert found == before
    (retrieved / 'report.json').write_text('{"classes": [1]}')
    with pytest.raises(ValueError, match=r'report\.json is not the report of'):
        place_downloads(retrieved, [str(tmp_path / 'more')])


def test_a_second_call_adds_images_and_ends_like_one_call(
    retrieved, write_downloads, tmp_path
):
    place_downloads(retrieved, write_downloads(SAME, WEB_PAGE))
    before = os.stat(retrieved / 'images/00000/00000.jpg').st_mtime_ns
    (retrieved / 'images/00000/.00002.jpg.00.tmp').write_bytes(b'half')
    os.utime(retrieved / 'images/00000/.00002.jpg.00.tmp', (0, 0))
    more = write_downloads(SAME, CLEAR, name='more')
    report = place_downloads(retrieved, more)
    assert (report['placed_before'], report['placed']) == (2, 3)
    assert os.stat(retrieved / 'images/00000/00000.jpg').st_mtime_ns == before
    other = write_retrieved(tmp_path / 'other')
    place_downloads(other, more)
    names = ('missing.json', '.lock')
    one, two = (
        {k: v for k, v in read_folder(out).items() if k not in names}
        for out in (retrieved, other)
    )
    assert one == two
    again = place_downloads(retrieved, more)
    assert (again['placed_before'], again['placed_now']) == (3, {})


def test_a_killed_call_is_finished(retrieved, write_downloads, monkeypatch):
    downloads = write_downloads(SAME, CLEAR)

    def fail(*args):
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(placed_downloads, 'save_manifest', fail)
        with pytest.raises(KeyboardInterrupt):
            place_downloads(retrieved, downloads)
    assert len(load_manifest(retrieved / 'manifest.parquet')) == 6
    report = place_downloads(retrieved, downloads)
    assert (report['placed_before'], report['placed']) == (3, 3)

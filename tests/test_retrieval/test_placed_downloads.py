"""Downloads of all three formats of img2dataset become a training folder."""

import hashlib
import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from PIL import Image
from web_memory import read_folder, save, write_tar

from ltvl_mm.datasets.retrieved import RetrievedDataset
from ltvl_mm.retrieval.reading import download_list, placed_downloads
from ltvl_mm.retrieval.reading.download_list import write_download_list
from ltvl_mm.retrieval.reading.missing_images import describe_missing
from ltvl_mm.retrieval.reading.placed_downloads import place_downloads
from ltvl_mm.retrieval.retrieval_report import describe_report
from ltvl_mm.structures.manifest import Manifest
from ltvl_mm.structures.manifest_file import load_manifest, save_manifest
from ltvl_mm.utils.hash_recipes import HASH_RECIPE
from ltvl_mm.utils.image_decoding import decode_image
from ltvl_mm.utils.io import write_json
from ltvl_mm.utils.perceptual_hash import compute_phash
from ltvl_mm.visualization.report.retrieved_images import read_retrieval

NAMES = ('red', 'green', 'blue')
# (class, key, URL); 'both' was retrieved for two classes, 'lost' has no URL.
ROWS = [
    (0, '00000/000000000', 'http://a/both'),
    (0, '00000/000000001', 'http://a/dead'),
    (0, '00000/000000002', 'http://a/clear'),
    (1, '00000/000000000', 'http://a/both'),
    (1, '00000/000000003', 'http://a/moved'),
    (2, '00000/000000004', None),
]


def _draw(seed, size=64):
    noise = np.random.default_rng(seed).uniform(0, 255, (8, 8, 3))
    return Image.fromarray(noise.astype(np.uint8)).resize((size, size))


def _draw_clear():
    image = _draw(2).convert('RGBA')
    image.paste((0, 0, 0, 0), (0, 0, 20, 20))
    return image


EMBEDDED = {
    '00000/000000000': save(_draw(0)),
    '00000/000000001': save(_draw(1)),
    '00000/000000002': save(_draw_clear()),
    '00000/000000003': save(_draw(3)),
    '00000/000000004': save(_draw(4)),
}
# What the URLs give now: the same bytes, a smaller JPEG, another picture and
# a web page.
SAME = ('http://a/both', EMBEDDED['00000/000000000'])
SMALLER = (
    'http://a/both',
    save(_draw(0).resize((40, 40)), 'JPEG', quality=80),
)
CLEAR = ('http://a/clear', EMBEDDED['00000/000000002'])
PLACEHOLDER = ('http://a/moved', save(_draw(99)))
WEB_PAGE = ('http://a/clear', b'<html>404</html>')
STRANGER = ('http://a/other', save(_draw(50)))
DEAD = ('http://a/dead', None)


@pytest.fixture
def retrieved(tmp_path):
    return _write_retrieved(tmp_path / 'retrieved')


def _write_retrieved(out, hashes=True, rows=ROWS):
    label = np.array([row[0] for row in rows], np.int32)
    counts = np.bincount(label, minlength=len(NAMES))
    rank = np.concatenate([np.arange(n, dtype=np.int32) for n in counts])
    manifest = Manifest(
        class_names=NAMES,
        class_id=label,
        rank=rank,
        score=np.linspace(1, 0, len(rows)),
        cosine=np.linspace(0.5, 0.4, len(rows)),
        key=[row[1] for row in rows],
        file=[
            f'images/{k:05d}/{r:05d}.jpg'
            for k, r in zip(label, rank, strict=True)
        ],
        caption=[f'caption {row}' for row in range(len(rows))],
        source={'counts': counts.tolist()},
    )
    sha256, phash = [None] * len(rows), [None] * len(rows)
    if hashes:
        images = [EMBEDDED[row[1]] for row in rows]
        sha256 = [hashlib.sha256(data).hexdigest() for data in images]
        phash = [_hash(data) for data in images]
    urls = [row[2] for row in rows]
    values = {'url': urls, 'sha256': sha256, 'phash': phash}
    write_download_list(out, manifest, values, [HASH_RECIPE] * len(rows))
    save_manifest(out / 'manifest.parquet', manifest)
    write_json(
        out / 'report.json',
        {
            'retrieved': len(rows),
            'missing': 0,
            'duplicates': 0,
            'copies_of_excluded_images': 0,
            'rows_refused_by_filters': {},
            'copies_recognized_without': {},
            'classes': [
                {
                    'name': name,
                    'wanted': int(count),
                    'retrieved': int(count),
                    'duplicates': 0,
                    'copies_of_excluded_images': 0,
                    'short_because': None,
                }
                for name, count in zip(NAMES, counts, strict=True)
            ],
        },
    )
    return out


def _hash(data):
    return compute_phash(decode_image(data))


def write_webdataset(folder, found):
    members = []
    for number, (url, data) in enumerate(found):
        if data is not None:
            record = json.dumps({'url': url, 'key': f'{number:09d}'})
            members += [
                (f'{number:09d}.jpg', data),
                (f'{number:09d}.json', record.encode()),
                (f'{number:09d}.txt', b'a caption'),
            ]
    write_tar(folder / '00000.tar', members)


def write_files(folder, found):
    (folder / '00000').mkdir(parents=True)
    for number, (url, data) in enumerate(found):
        if data is not None:
            file = folder / '00000' / f'{number:09d}.jpg'
            file.write_bytes(data)
            file.with_suffix('.json').write_text(json.dumps({'url': url}))
            file.with_suffix('.txt').write_text('a caption')


def write_parquet(folder, found):
    folder.mkdir(parents=True)
    table = pa.table(
        {
            'key': [f'{number:09d}' for number in range(len(found))],
            'url': [url for url, _ in found],
            'status': [
                'failed_to_download' if data is None else 'success'
                for _, data in found
            ],
            'jpg': pa.array([data for _, data in found], pa.binary()),
        }
    )
    pq.write_table(table, folder / '00000.parquet')


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
    other = _write_retrieved(tmp_path / 'other')
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


def test_without_hashes_images_are_counted_as_not_verified(tmp_path):
    retrieved = _write_retrieved(tmp_path / 'retrieved', hashes=False)
    write_files(tmp_path / 'files', [SAME, WEB_PAGE, PLACEHOLDER])
    files = [str(tmp_path / 'files')]
    with pytest.raises(ValueError, match=r'none of the 3 images.*missing\.js'):
        place_downloads(retrieved, files, verified_only=True)
    assert len(load_manifest(retrieved / 'manifest.parquet')) == 6
    report = place_downloads(retrieved, files)
    assert report['placed_now'] == {'not verified': 3}
    assert report['refused']['count'] == 1


def test_keys_of_img2dataset_do_not_stand_for_keys_of_the_store(
    retrieved, tmp_path
):
    # 00000/000000000 is a key of the store, and of this other image.
    write_webdataset(tmp_path / 'tars', [STRANGER])
    with pytest.raises(ValueError, match='none of the 1 images'):
        place_downloads(retrieved, [str(tmp_path / 'tars')])
    write_tar(
        tmp_path / 'own' / '00000.tar',
        [('000000004.png', EMBEDDED['00000/000000004'])],
    )
    report = place_downloads(retrieved, [str(tmp_path / 'own')])
    assert [entry['placed'] for entry in report['classes']] == [0, 0, 1]


def test_local_files_that_a_store_names_are_placed(tmp_path):
    pool = tmp_path / 'pool'
    (pool / 'sub').mkdir(parents=True)
    (pool / 'sub' / 'a.png').write_bytes(SAME[1])
    (pool / 'b.png').write_bytes(STRANGER[1])
    # A key may name any file; only those in the given folder are read.
    (tmp_path / 'private.png').write_bytes(SAME[1])
    rows = [
        (0, str(pool / 'sub' / 'a.png'), None),
        (1, str(tmp_path / 'private.png'), None),
        (2, str(pool / '..' / 'private.png'), None),
    ]
    retrieved = _write_retrieved(tmp_path / 'out', False, rows)
    report = place_downloads(retrieved, [str(pool)])
    assert (report['placed'], report['missing']) == (1, 2)
    assert (report['images_read'], report['images_not_wanted']) == (2, 1)
    manifest = load_manifest(retrieved / 'manifest.parquet')
    assert (retrieved / manifest.file[0]).read_bytes() == SAME[1]


def test_own_files_of_img2dataset_are_matched_by_key(tmp_path):
    # clip-retrieval embedded the files without their records.
    write_files(tmp_path / 'pool', [SAME])
    rows = [(0, '00000/000000000.jpg', None)]
    retrieved = _write_retrieved(tmp_path / 'out', False, rows)
    folder = [str(tmp_path / 'pool')]
    with pytest.raises(ValueError, match='none of the 1 images'):
        place_downloads(retrieved, folder)
    report = place_downloads(retrieved, folder, own_files=True)
    assert report['placed'] == 1


def test_another_output_folder_leaves_the_retrieved_one_alone(
    retrieved, write_downloads, tmp_path
):
    before = read_folder(retrieved)
    downloads = write_downloads(SAME)
    place_downloads(retrieved, downloads, out=tmp_path / 'out')
    assert read_folder(retrieved) == before
    assert len(load_manifest(tmp_path / 'out' / 'manifest.parquet')) == 2
    other = _write_retrieved(tmp_path / 'other', rows=ROWS[:3])
    with pytest.raises(ValueError, match='is another manifest than'):
        place_downloads(other, downloads, out=tmp_path / 'out')


@pytest.mark.parametrize('change', ['missing', 'foreign', 'broken'])
def test_a_download_list_must_be_that_of_the_manifest(
    retrieved, tmp_path, change
):
    file = retrieved / 'download.parquet'
    if change == 'missing':
        file.unlink()
    elif change == 'broken':
        file.write_bytes(b'PAR1')
    else:
        other = _write_retrieved(tmp_path / 'other', rows=ROWS[:3])
        file.write_bytes((other / 'download.parquet').read_bytes())
    messages = {
        'missing': 'retrieve.py --copy none writes it',
        'foreign': 'is not the list of',
        'broken': 'cannot be read',
    }
    with pytest.raises(ValueError, match=messages[change]):
        place_downloads(retrieved, ['.'])


def test_lists_of_earlier_versions_have_no_hashes(retrieved, tmp_path):
    file = retrieved / 'download.parquet'
    columns = ['url', 'caption', 'key', 'file']
    pq.write_table(pq.read_table(file).select(columns), file)
    write_files(tmp_path / 'files', [SAME])
    report = place_downloads(retrieved, [str(tmp_path / 'files')])
    assert report['placed_now'] == {'not verified': 2}


def test_max_bits_is_in_range(retrieved):
    with pytest.raises(ValueError, match=r'max_bits must be in \[0, 64\]'):
        place_downloads(retrieved, ['.'], max_bits=65)


def test_rows_without_url_are_counted_when_the_list_is_written(
    tmp_path, monkeypatch
):
    printed = []
    monkeypatch.setattr(
        download_list, 'print_log', lambda text, *_, **__: printed.append(text)
    )
    _write_retrieved(tmp_path / 'retrieved')
    (text,) = printed
    assert text.startswith('1 of 6 retrieved images have no URL in the store')
    assert '00000/000000004. If their keys name files' in text


def test_the_tool_prints_what_is_missing(retrieved, tmp_path):
    tool = Path(__file__).parents[2] / 'tools' / 'place_downloads.py'

    write_webdataset(tmp_path / 'tars', [SAME, PLACEHOLDER, DEAD])
    done = subprocess.run(
        [sys.executable, tool, retrieved, tmp_path / 'tars'],
        check=False,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    lines = done.stdout.splitlines()
    assert lines[0].startswith('2 of 6 retrieved images are in place (0 from')
    assert 'red: 2 of 3 missing: 00000/000000001, 00000/000000002' in lines
    assert lines[-1].endswith(f'missing images: {retrieved}/missing.json')

"""Lists of downloads, and images that are matched without a list of hashes."""

import subprocess
import sys
from pathlib import Path

import pyarrow.parquet as pq
import pytest
from retrieved_folder import (
    DEAD,
    EMBEDDED,
    PLACEHOLDER,
    ROWS,
    SAME,
    STRANGER,
    WEB_PAGE,
    write_files,
    write_parquet,
    write_retrieved,
    write_webdataset,
)
from web_memory import read_folder, write_tar

from ltvl_mm.retrieval.reading import download_list
from ltvl_mm.retrieval.reading.placed_downloads import place_downloads
from ltvl_mm.structures.manifest_file import load_manifest


@pytest.fixture
def retrieved(tmp_path):
    return write_retrieved(tmp_path / 'retrieved')


@pytest.fixture(params=[write_webdataset, write_files, write_parquet])
def write_downloads(request, tmp_path):
    def write(*found, name='downloads'):
        request.param(tmp_path / name, found)
        return [str(tmp_path / name)]

    return write


def test_without_hashes_images_are_counted_as_not_verified(tmp_path):
    retrieved = write_retrieved(tmp_path / 'retrieved', hashes=False)
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
    retrieved = write_retrieved(tmp_path / 'out', False, rows)
    report = place_downloads(retrieved, [str(pool)])
    assert (report['placed'], report['missing']) == (1, 2)
    assert (report['images_read'], report['images_not_wanted']) == (2, 1)
    manifest = load_manifest(retrieved / 'manifest.parquet')
    assert (retrieved / manifest.file[0]).read_bytes() == SAME[1]


def test_own_files_of_img2dataset_are_matched_by_key(tmp_path):
    # clip-retrieval embedded the files without their records.
    write_files(tmp_path / 'pool', [SAME])
    rows = [(0, '00000/000000000.jpg', None)]
    retrieved = write_retrieved(tmp_path / 'out', False, rows)
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
    other = write_retrieved(tmp_path / 'other', rows=ROWS[:3])
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
        other = write_retrieved(tmp_path / 'other', rows=ROWS[:3])
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
    write_retrieved(tmp_path / 'retrieved')
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

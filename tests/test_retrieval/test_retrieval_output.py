"""Files that a retrieval writes: images, lists, tars and pictures."""

import hashlib
import json
import tarfile
from dataclasses import asdict, replace

import numpy as np
import pyarrow.parquet as pq
import pytest
from color_world import NAMES, OPTIONS, WEB
from PIL import Image
from web_memory import ENCODER, read_folder

from ltvl_mm.datasets.retrieved import RetrievedDataset
from ltvl_mm.retrieval.choice import Rejected
from ltvl_mm.retrieval.dedup import near_duplicate_pictures as pictures
from ltvl_mm.retrieval.dedup.near_duplicates import CopyRule
from ltvl_mm.structures.copy_pictures import load_copy_pictures
from ltvl_mm.structures.manifest_file import load_manifest
from ltvl_mm.utils.image_decoding import decode_image
from ltvl_mm.utils.perceptual_hash import compute_phash


def test_images_are_copied_byte_by_byte_to_class_and_rank(run, tmp_path):
    manifest, _ = run([2, 2, 1])
    assert manifest.file == (
        'images/00000/00000.jpg',
        'images/00000/00001.jpg',
        'images/00001/00000.jpg',  # of a tar
        'images/00001/00001.png',  # of a folder: keeps its suffix
        'images/00002/00000.png',
    )
    found = read_folder(tmp_path / 'out' / 'images')
    assert found == {
        file.removeprefix('images/'): WEB[key]
        for file, key in zip(manifest.file, manifest.key, strict=True)
    }


def test_the_manifest_on_the_disk_is_the_one_returned(run, tmp_path, store):
    manifest, _ = run([2, 2, 1])
    saved = load_manifest(tmp_path / 'out' / 'manifest.parquet')
    assert (saved.key, saved.file) == (manifest.key, manifest.file)
    assert np.array_equal(saved.score, manifest.score)
    assert saved.source['store'] == store.fingerprint
    assert saved.source['encoder'] == ENCODER
    assert saved.source['templates'] == ['a {} picture']
    assert saved.source['budget'] == [2, 2, 1]
    assert saved.source['temperature'] == 0.05
    assert saved.source['duplicates'] == asdict(CopyRule(0.9, 10))


def test_what_was_passed_over_is_reported(run, tmp_path):
    manifest, rejected = run([2, 1, 1])
    report = json.loads((tmp_path / 'out' / 'report.json').read_text())
    assert report['rejected'] == [asdict(entry) for entry in rejected]
    assert [(r.key, r.class_id, r.reason, r.copy_of) for r in rejected] == [
        ('0/leak', 0, 'excluded', 'red.png'),
        ('1/again', 0, 'duplicate', '0/one'),
    ]
    assert min(r.cosine for r in rejected) > 0.99
    assert [r.evidence for r in rejected] == ['looks', 'bytes']
    red, green, _ = report['classes']
    scores = manifest.score[manifest.class_id == 0]
    assert red == {
        'class_id': 0,
        'name': 'red',
        'wanted': 2,
        'retrieved': 2,
        'candidates': 6,
        'duplicates': 1,
        'copies_of_excluded_images': 1,
        'highest_score': scores[0],
        'lowest_score': scores[1],
        'short_because': None,
    }
    assert (green['wanted'], green['retrieved']) == (1, 1)
    assert (report['retrieved'], report['missing']) == (4, 0)
    assert report['duplicates'] == 1
    assert report['copies_of_excluded_images'] == 1


def test_two_runs_write_the_same_bytes(run, tmp_path):
    run([3, 2, 1], 'one')
    run([3, 2, 1], 'two')
    assert read_folder(tmp_path / 'one') == read_folder(tmp_path / 'two')


def test_copies_of_test_images_are_pictured_beside_what_they_copy(
    run, tmp_path
):
    run([3, 2, 1])
    (copy,) = load_copy_pictures(tmp_path / 'out', len(NAMES))
    assert (copy.key, copy.copy_of) == ('0/leak', 'red.png')
    assert copy.class_ids == (0,)
    assert copy.evidence == 'looks'
    sizes = [
        Image.open(tmp_path / 'out' / file).size
        for file in (copy.picture, copy.original)
    ]
    assert sizes == [(48, 48), (32, 32)]


def test_a_copy_whose_original_has_moved_is_listed_without_it(run, tmp_path):
    (tmp_path / 'test' / 'red.png').unlink()
    run([3, 2, 1])
    (copy,) = load_copy_pictures(tmp_path / 'out', len(NAMES))
    assert copy.picture == 'copies/000_web.jpg'
    assert copy.original == ''


def test_of_many_copies_evenly_many_are_pictured(
    store, kept_out, tmp_path, monkeypatch
):
    monkeypatch.setattr(pictures, 'MAX_PICTURES', 3)
    rejected = [
        Rejected(f'k{number}', 0, reason, 'red.png', 0.99, 'bytes')
        for number in range(9)
        for reason in ('excluded', 'duplicate')
    ]
    pictures.write_copy_pictures(tmp_path, rejected, store, [kept_out])
    keys = [copy.key for copy in load_copy_pictures(tmp_path, 3)]
    assert keys == ['k0', 'k4', 'k8']


def test_a_picture_outside_the_folder_is_refused(run, tmp_path):
    run([3, 2, 1])
    file = tmp_path / 'out/copies/copies.json'
    file.write_text(file.read_text().replace('copies/000_web', '../../x'))
    with pytest.raises(ValueError, match='must be a path inside the folder'):
        load_copy_pictures(tmp_path / 'out', len(NAMES))


def test_images_can_be_listed_for_download_instead(run, tmp_path):
    manifest, _ = run([2, 1, 1], 'copied')
    options = replace(OPTIONS, copy='none')
    listed, _ = run([2, 1, 1], options=options)
    assert (listed.key, listed.file) == (manifest.key, manifest.file)
    assert not (tmp_path / 'out' / 'images').exists()
    table = pq.read_table(tmp_path / 'out' / 'download.parquet')
    assert table.column_names == [
        'url',
        'caption',
        'key',
        'file',
        'sha256',
        'phash',
        'hash_recipe',
    ]
    assert table['file'].to_pylist() == list(manifest.file)
    images = [
        (tmp_path / 'copied' / file).read_bytes() for file in manifest.file
    ]
    assert table['sha256'].to_pylist() == [
        hashlib.sha256(data).hexdigest() for data in images
    ]
    assert table['phash'].to_pylist() == [
        compute_phash(decode_image(data)) for data in images
    ]


def test_images_can_be_packed_into_one_tar(run, tmp_path):
    manifest, _ = run([2, 1, 1], 'copied')
    options = replace(OPTIONS, copy='tar')
    run([2, 1, 1], options=options)
    out = tmp_path / 'out'
    first = (out / 'images.tar').read_bytes()
    with pytest.raises(
        ValueError, match=r'unpack them: tar -xf .*images\.tar'
    ):
        RetrievedDataset(str(out / 'manifest.parquet'))
    with tarfile.open(out / 'images.tar') as tar:
        tar.extractall(out)
    for file in manifest.file:
        copied = (tmp_path / 'copied' / file).read_bytes()
        assert (out / file).read_bytes() == copied
    assert len(RetrievedDataset(str(out / 'manifest.parquet'))) == 4
    run([2, 1, 1], 'again', options=options)
    assert (tmp_path / 'again' / 'images.tar').read_bytes() == first


def test_what_others_embedded_is_retrieved_without_hashes(
    run, store, tmp_path
):
    for part in store.parts:
        table = pq.read_table(part.table).select(['image_path', 'url'])
        pq.write_table(table, part.table)
    message = (
        r'copying images needs the columns source, .* --local-images FOLDER .*'
        r'--copy none.*: python tools/place_downloads\.py OUT DOWNLOADS$'
    )
    with pytest.raises(ValueError, match=message):
        run([2, 1, 1], verify=False)
    # The toy encoder sees colors, of which copies have the very same.
    rule = CopyRule(0.9, 10, cosine_alone=0.99999)
    options = replace(OPTIONS, copy='none', duplicates=rule, exclude=rule)
    manifest, rejected = run([3, 1, 1], options=options, verify=False)
    assert manifest.key[:3] == ('0/one', '0/two', '0/three')
    assert {(r.key, r.copy_of, r.evidence) for r in rejected} >= {
        ('0/leak', 'red.png', 'looks'),
        ('1/again', '0/one', 'looks'),
    }
    report = json.loads((tmp_path / 'out' / 'report.json').read_text())
    assert report['copies_recognized_without'] == {
        str(store.root): ['sha256', 'phash']
    }

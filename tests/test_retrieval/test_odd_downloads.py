"""Odd images, tars and folders through ``place_downloads``."""

import numpy as np
import pytest
from odd_inputs.folders import FOLDERS
from odd_inputs.images import EPS, IMAGES
from odd_inputs.tar_members import draw, write_members
from odd_inputs.tars import TARS
from retrieved_folder import write_download_list

from ltvl_mm.registry import TRANSFORMS
from ltvl_mm.retrieval.reading.placed_downloads import place_downloads
from ltvl_mm.structures.manifest import Manifest
from ltvl_mm.structures.manifest_file import load_manifest, save_manifest
from ltvl_mm.utils.image_decoding import decode_image
from ltvl_mm.utils.perceptual_hash import compute_phash


def write_retrieved(out, keys, hashes=None):
    """Write what ``retrieve.py --copy none`` leaves for some keys."""
    out.mkdir()
    count = len(keys)
    manifest = Manifest(
        class_names=('all',),
        class_id=np.zeros(count, np.int32),
        rank=np.arange(count, dtype=np.int32),
        score=np.zeros(count),
        cosine=np.zeros(count),
        key=keys,
        file=[f'images/00000/{row:05d}.jpg' for row in range(count)],
        caption=[''] * count,
        source={},
    )
    nothing = [None] * count
    values = {'url': nothing, 'sha256': nothing, 'phash': hashes or nothing}
    write_download_list(out, manifest, values)
    save_manifest(out / 'manifest.parquet', manifest)
    return out


def test_placed_images_have_the_expected_pixels(tmp_path):
    pool = tmp_path / 'pool'
    pool.mkdir()
    files = {
        name: pool / f'{number:02d}{suffix}'
        for number, (name, (suffix, _, _)) in enumerate(IMAGES.items())
    }
    hashes = []
    for name, file in files.items():
        file.write_bytes(IMAGES[name][1])
        hashes.append(compute_phash(decode_image(IMAGES[name][1])))
    keys = [str(file) for file in files.values()]
    out = write_retrieved(tmp_path / 'out', keys, hashes)
    report = place_downloads(out, [str(pool)])
    assert report['placed_now'] == {'perceptual hash': len(IMAGES)}
    load = TRANSFORMS.build(dict(type='mmpretrain.LoadImageFromFile'))
    placed = load_manifest(out / 'manifest.parquet').file
    for name, file in zip(IMAGES, placed, strict=True):
        found = load({'img_path': str(out / file)})['img'][..., ::-1]
        expected = IMAGES[name][2].astype(int)
        assert np.abs(found - expected).max() <= 3, name


@pytest.mark.parametrize('name', TARS)
def test_images_of_odd_tars_are_placed(name, tmp_path):
    case = TARS[name]
    case.write(tmp_path / case.name)
    if not case.images:
        return
    stem = (tmp_path / case.name).stem
    keys = [f'{stem}/{key}' for key in case.images]
    out = write_retrieved(tmp_path / 'out', keys)
    report = place_downloads(out, [str(tmp_path / case.name)])
    assert report['placed'] == len(keys)
    # Images that were not retrieved are not decoded.
    assert report['unreadable']['count'] <= len(case.bad)
    manifest = load_manifest(out / 'manifest.parquet')
    for key, file in zip(manifest.key, manifest.file, strict=True):
        number = case.images[key.partition('/')[2]][0]
        placed = decode_image((out / file).read_bytes())
        assert placed.tobytes() == decode_image(draw(number)).tobytes()


@pytest.mark.parametrize('name', FOLDERS)
def test_images_of_odd_folders_are_placed(name, tmp_path):
    case, folder = FOLDERS[name], tmp_path / 'images'
    folder.mkdir()
    case.write(folder)
    # Files that a link leads to outside are named by the store, too.
    keys = [str(folder / path) for path in (*case.images, *case.linked)]
    out = write_retrieved(tmp_path / 'out', keys)
    report = place_downloads(out, [str(folder)])
    assert report['placed'] == len(case.images)
    assert report['missing'] == len(case.linked)


def test_eps_is_refused_in_a_tar_and_a_list(tmp_path):
    write_members(tmp_path / 'a.tar', [('0.png', 0)])
    (tmp_path / 'pool').mkdir()
    (tmp_path / 'pool' / 'b.jpg').write_bytes(EPS)
    (tmp_path / 'list.txt').write_text('pool/b.jpg\n')
    out = write_retrieved(tmp_path / 'out', ['a/0', 'pool/b.jpg'])
    report = place_downloads(
        out, [str(tmp_path / 'a.tar'), str(tmp_path / 'list.txt')]
    )
    assert report['placed'] == 1
    assert report['refused']['first'] == ['pool/b.jpg: no known image format']

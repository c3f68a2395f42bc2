"""All readers of images see the same pixels, and start no program."""

import base64
import io

import numpy as np
import pytest
from odd_inputs.images import COPIED, EPS, IMAGES
from odd_inputs.tar_members import draw, write_members
from PIL import Image

from ltvl_mm.apis.image_loading import load_image
from ltvl_mm.datasets.retrieved import RetrievedDataset
from ltvl_mm.registry import TRANSFORMS
from ltvl_mm.retrieval.reading.image_batches import ShardBatches
from ltvl_mm.retrieval.reading.shards import find_shards
from ltvl_mm.structures.manifest import Manifest
from ltvl_mm.structures.manifest_file import save_manifest
from ltvl_mm.structures.store_parts import COLUMNS
from ltvl_mm.utils.image_conversion import convert_for_training
from ltvl_mm.utils.image_decoding import decode_image
from ltvl_mm.utils.perceptual_hash import compute_phash
from ltvl_mm.visualization.contact_sheet import _load_tile
from ltvl_mm.visualization.report.gallery import encode_thumbnail

# JPEG at quality 95, or the high byte of a 16-bit sample.
ROUNDING = 3


def _transform(kind):
    transform = TRANSFORMS.build(dict(type=kind))

    def read(path):
        found = transform({'img_path': str(path)})
        assert found['img'].dtype == np.uint8
        assert found['img_shape'] == found['img'].shape[:2]
        return found['img'][..., ::-1]

    return read


def _embed(path):
    shards = find_shards([str(path.parent)])
    batches = ShardBatches(shards, [0], _to_tensor, batch_size=1)
    (batch,) = batches
    if batch.images is None:
        raise ValueError(batch.bad[0][1])
    return batch.images[0].numpy()


def _to_tensor(image):
    import torch

    return torch.from_numpy(np.array(image))


def _read_copy(path):
    """Read the file of a retrieved folder as mmpretrain does."""
    data, suffix = convert_for_training(path.read_bytes())
    if suffix is not None:
        path = path.with_suffix(suffix)
        path.write_bytes(data)
    return _transform('mmpretrain.LoadImageFromFile')(path)


def _read_gallery(path):
    text = encode_thumbnail(path)
    if not text:
        raise ValueError('no known image format')
    data = base64.b64decode(text.partition(',')[2])
    return np.asarray(Image.open(io.BytesIO(data)).convert('RGB'))


READERS = {
    'decode_image': lambda path: np.asarray(decode_image(path.read_bytes())),
    'embedding': _embed,
    'inferencer': lambda path: load_image(path)['img'][..., ::-1],
    'LoadImage': lambda path: _transform('ltvl_mm.LoadImage')(path),
    'retrieved folder': _read_copy,
}


@pytest.mark.parametrize('reader', READERS)
@pytest.mark.parametrize('name', IMAGES)
def test_all_readers_see_the_expected_pixels(name, reader, tmp_path):
    suffix, data, expected = IMAGES[name]
    path = tmp_path / f'image{suffix}'
    path.write_bytes(data)
    found = READERS[reader](path).astype(int)
    assert found.shape == expected.shape
    assert np.abs(found - expected).max() <= ROUNDING


@pytest.mark.parametrize('name', IMAGES)
def test_hashes_are_of_the_expected_pixels(name, tmp_path):
    suffix, data, expected = IMAGES[name]
    (tmp_path / f'image{suffix}').write_bytes(data)
    shards = find_shards([str(tmp_path)])
    (batch,) = ShardBatches(shards, [0], _to_tensor, batch_size=1)
    found = batch.rows[0][COLUMNS.names.index('phash')]
    assert found == compute_phash(decode_image(data))
    # Of a flat image, rounding decides all bits.
    if expected.std(axis=(0, 1)).max() > ROUNDING:
        due = compute_phash(Image.fromarray(expected.astype(np.uint8)))
        assert (found ^ due).bit_count() <= 4


@pytest.mark.parametrize('name', IMAGES)
def test_thumbnails_show_the_expected_pixels(name, tmp_path):
    suffix, data, expected = IMAGES[name]
    path = tmp_path / f'image{suffix}'
    path.write_bytes(data)
    # WebP of quality 55 subsamples colors: compare means.
    found = _read_gallery(path).mean((0, 1))
    assert np.allclose(found, expected.mean((0, 1)), atol=6)
    tile = np.asarray(_load_tile(path)).mean((0, 1))
    assert np.allclose(tile, expected.mean((0, 1)), atol=2)


def test_only_ordinary_files_are_copied_byte_for_byte():
    copied = {
        name
        for name, (_, data, _) in IMAGES.items()
        if convert_for_training(data) == (data, None)
    }
    assert copied == COPIED


@pytest.mark.parametrize('value', [np.nan, np.inf])
def test_a_float_image_that_is_not_finite_is_refused(value):
    image = Image.fromarray(np.full((4, 4), value, np.float32))
    file = io.BytesIO()
    image.save(file, 'TIFF')
    with pytest.raises(ValueError, match='not finite'):
        decode_image(file.getvalue())


def test_pillow_alone_would_start_ghostscript(ghostscript):
    with pytest.raises(OSError), Image.open(io.BytesIO(EPS)) as image:  # noqa: PT011
        image.load()
    assert ghostscript.exists()


@pytest.mark.parametrize('reader', [*READERS, 'gallery', 'contact sheet'])
def test_no_reader_starts_ghostscript(reader, ghostscript, tmp_path):
    folder = tmp_path / 'images'
    folder.mkdir()
    path = folder / 'hostile.jpg'
    path.write_bytes(EPS)
    readers = READERS | {'gallery': _read_gallery}
    if reader == 'contact sheet':
        assert np.all(np.asarray(_load_tile(path)) == 211)  # light gray
    else:
        with pytest.raises(ValueError, match='no known image format'):
            readers[reader](path)
    assert not ghostscript.exists()


def test_eps_in_tar_list_and_training_starts_no_ghostscript(
    ghostscript, tmp_path
):
    write_members(tmp_path / 'a.tar', [('0.jpg', EPS), ('1.png', 1)])
    images = tmp_path / 'images' / '00000'
    images.mkdir(parents=True)
    (images / '00000.jpg').write_bytes(EPS)
    (images / '00001.png').write_bytes(draw(1))
    (tmp_path / 'a.txt').write_text('images/00000/00000.jpg 0\n')
    for source in ('a.tar', 'a.txt'):
        shards = find_shards([str(tmp_path / source)])
        (batch,) = ShardBatches(shards, [0], _to_tensor, batch_size=4)
        ((_, reason),) = batch.bad
        assert reason == 'no known image format'
    manifest = tmp_path / 'manifest.parquet'
    save_manifest(
        manifest,
        Manifest(
            ('all',),
            np.zeros(2, np.int32),
            np.arange(2, dtype=np.int32),
            np.zeros(2),
            np.zeros(2),
            ['hostile', 'good'],
            ['images/00000/00000.jpg', 'images/00000/00001.png'],
            [''] * 2,
            {},
        ),
    )
    for kind in ('mmpretrain.LoadImageFromFile', 'ltvl_mm.LoadImage'):
        data = RetrievedDataset(str(manifest), pipeline=[dict(type=kind)])
        expected = np.asarray(decode_image(draw(1)))[..., ::-1]
        for row in range(2):  # the hostile image is replaced by the other
            assert np.array_equal(data[row]['img'], expected)
    assert not ghostscript.exists()

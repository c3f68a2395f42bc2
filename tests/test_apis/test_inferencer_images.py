"""Images that an inferencer takes, features and pictures that it gives."""

import os
import warnings
from pathlib import Path

import cv2
import numpy as np
import pytest
from inferencer_files import list_images, write_inferencer_files
from mmengine.config import Config
from PIL import Image
from toy_configs import DEIT, ZERO_SHOT

from ltvl_mm import LongTailInferencer
from ltvl_mm.apis.input_size import make_resizer
from ltvl_mm.visualization import fonts


@pytest.fixture(scope='module', autouse=True)
def files(toy_home, tmp_path_factory):
    yield from write_inferencer_files(toy_home, tmp_path_factory)


@pytest.fixture(scope='module')
def images(toy_root):
    return list_images(toy_root)


@pytest.fixture(scope='module')
def clip(files):
    return LongTailInferencer(ZERO_SHOT, files / 'clip.pth')


@pytest.fixture(scope='module')
def student(files):
    return LongTailInferencer(str(DEIT), files / 'student.pth', device='cpu')


def test_arrays_paths_and_folders_are_one(student, images, tmp_path):
    due = student(images)
    arrays = [cv2.imread(image) for image in images]
    for number, image in enumerate(images):
        os.symlink(image, tmp_path / f'{4 - number}.jpg')
    for inputs in (arrays, [Path(image) for image in images]):
        for one, other in zip(student(inputs), due, strict=True):
            assert np.array_equal(one['pred_scores'], other['pred_scores'])
    for inputs in (tmp_path, str(tmp_path)):  # in the order of the names
        for one, other in zip(student(inputs), due[::-1], strict=True):
            assert np.array_equal(one['pred_scores'], other['pred_scores'])
    assert student([]) == []


@pytest.mark.parametrize(
    ('content', 'message'),
    [
        (None, 'cannot be read'),
        (b'', 'cannot be read'),
        (b'hello', 'no known image format'),
    ],
)
def test_a_bad_image_is_named(student, images, tmp_path, content, message):
    bad = tmp_path / 'bad.jpg'
    if content is not None:
        bad.write_bytes(content)
    with pytest.raises(ValueError, match=f'bad.jpg.*{message}'):
        student([images[0], bad])


def test_arrays_that_are_no_images_are_refused(student):
    with pytest.raises(ValueError, match=r'uint8 array, BGR; got float32'):
        student(np.zeros((32, 32, 3), np.float32))
    with pytest.raises(ValueError, match=r'shape \(32, 32\)'):
        student(np.zeros((32, 32), np.uint8))


def test_images_of_any_size_are_resized_as_in_training(
    student, images, tmp_path
):
    large = cv2.imread(images[0]).repeat(3, 0).repeat(3, 1)
    wide = np.pad(large, ((0, 0), (60, 60), (0, 0)))
    cv2.imwrite(str(tmp_path / 'wide.png'), wide)
    found = student(
        [images[0], large, str(tmp_path / 'wide.png')], batch_size=3
    )
    due = student(images[0])[0]['pred_scores']
    np.testing.assert_allclose(found[0]['pred_scores'], due, atol=1e-6)
    # The short side, then a crop of the center.
    for row, pixels in zip(found[1:], (large, wide), strict=True):
        width = pixels.shape[1] // 3
        small = Image.fromarray(pixels).resize(
            (width, 32), Image.Resampling.BICUBIC
        )
        left = (width - 32) // 2
        center = np.array(small)[:, left : left + 32]
        due = student(center)[0]['pred_scores']
        np.testing.assert_allclose(row['pred_scores'], due, atol=1e-6)


def test_a_pipeline_that_resizes_is_left_alone(files):
    config = Config.fromfile(DEIT)
    assert make_resizer(config, lambda _: {'inputs': np.zeros(3)}) is None
    # Nothing is said of the size: images are taken as they are.
    config.train_dataloader = config.model = dict()
    assert make_resizer(
        config, lambda results: {'inputs': results['img']}
    ) is (None)


def test_pictures_name_characters_without_a_font(
    clip, images, tmp_path, monkeypatch
):
    said = []
    monkeypatch.setattr(fonts.font_manager, 'findSystemFonts', list)
    monkeypatch.setattr(
        fonts, 'print_log', lambda text, *args, **kwargs: said.append(text)
    )
    with warnings.catch_warnings():  # of matplotlib, for each glyph
        warnings.simplefilter('ignore')
        for name in ('ünï', '猫'):
            clip(images[0], class_names=[name], show_dir=tmp_path / 'shown')
    (sentence,) = said
    assert 'shown: no installed font has the characters 猫, whi' in sentence


def test_pictures_are_the_hosts(student, images, tmp_path):
    student(images[0], show_dir=tmp_path / 'shown')
    assert len(list((tmp_path / 'shown').iterdir())) == 1
    with pytest.raises(ValueError, match='unknown argument'):
        student(images, show_dirr=tmp_path)


def test_many_images_have_a_bar_and_few_none(student, images, capsys):
    student(images, batch_size=8)
    assert 'infer' not in capsys.readouterr().err
    student(images, batch_size=2)
    assert '5/5' in capsys.readouterr().err

"""Every odd tar, folder and image through the reader of captioned images."""

from contextlib import nullcontext, suppress

import numpy as np
import pytest
from odd_inputs.folders import FOLDERS, draw
from odd_inputs.images import IMAGES
from odd_inputs.tar_members import write_members
from odd_inputs.tars import TARS

from ltvl_mm.apis.captions import index_captions
from ltvl_mm.datasets import CaptionedImages
from ltvl_mm.structures.caption_index import load_caption_index
from ltvl_mm.utils.image_decoding import decode_image

PIPELINE = [dict(type='ltvl_mm.LoadImage')]
ROUNDING = 3


@pytest.mark.parametrize('name', TARS)
def test_captioned_images_of_a_tar_are_found_again(name, tmp_path):
    case = TARS[name]
    case.write(tmp_path / case.name)
    due = {key: pair for key, pair in case.images.items() if pair[1]}
    if not due and not case.bad:
        with pytest.raises(ValueError, match='has a caption; the caption of'):
            index_captions(tmp_path / case.name, tmp_path / 'index', workers=0)
        return
    with nullcontext() if due else suppress(ValueError):
        index_captions(tmp_path / case.name, tmp_path / 'index', workers=0)
    if not due:  # broken images may have captions
        return
    data = CaptionedImages(str(tmp_path / 'index'), pipeline=PIPELINE)
    keys = [data.get_data_info(row)['key'] for row in range(len(data))]
    keys = [key.partition('/')[2] for key in keys]
    # Nothing is decoded for the index: it has broken images, too.
    assert set(due) <= set(keys) <= set(due) | set(case.bad)
    for row, key in enumerate(keys):
        if key in due:
            sample, (number, caption) = data[row], due[key]
            expected = np.asarray(decode_image(draw(number)))
            assert np.array_equal(sample['img'][..., ::-1], expected)
            assert sample['caption'] == caption


@pytest.mark.parametrize('name', FOLDERS)
def test_captioned_images_of_a_folder_are_found(name, tmp_path):
    case, folder = FOLDERS[name], tmp_path / 'images'
    folder.mkdir()
    case.write(folder)
    for path in case.images:
        file = (folder / path).with_suffix('.txt')
        if not file.is_file():
            file.unlink(missing_ok=True)  # a pipe
            file.write_text(path)
    index_captions(folder, tmp_path / 'index', workers=0)
    keys = list(load_caption_index(tmp_path / 'index').key)
    assert sorted(keys) == sorted(
        path for path in case.images if (folder / path).is_file()
    )


def test_members_of_a_tar_have_the_expected_pixels(tmp_path):
    members = []
    for number, (suffix, data, _) in enumerate(IMAGES.values()):
        members += [
            (f'{number:03d}{suffix}', data),
            (f'{number:03d}.txt', 'x'),
        ]
    write_members(tmp_path / 'a.tar', members)
    index_captions(tmp_path / 'a.tar', tmp_path / 'index', workers=0)
    data = CaptionedImages(str(tmp_path / 'index'), pipeline=PIPELINE)
    assert len(data) == len(IMAGES)
    for number, (name, (_, _, expected)) in enumerate(IMAGES.items()):
        found = data[number]['img'][..., ::-1].astype(int)
        assert found.shape == expected.shape, name
        assert np.abs(found - expected).max() <= ROUNDING, name

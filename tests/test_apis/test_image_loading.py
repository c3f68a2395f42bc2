"""Inputs of the inferencer: odd folders and values of wrong types."""

from pathlib import Path

import numpy as np
import pytest
import torch
from odd_inputs.folders import FOLDERS, write_files
from PIL import Image

from ltvl_mm.apis.image_loading import list_images, list_inputs


@pytest.mark.parametrize('name', FOLDERS)
def test_the_images_of_a_folder_are_listed_by_name(name, tmp_path):
    case, folder = FOLDERS[name], tmp_path / 'images'
    folder.mkdir()
    case.write(folder)
    due = [path for path in case.images | case.linked if '/' not in path]
    assert list_images(folder) == [folder / path for path in sorted(due)]


def test_a_folder_without_images_is_refused(tmp_path):
    write_files(tmp_path, {'a/0.png': 0, '.DS_Store': 'x', 'notes.pdf': 'x'})
    with pytest.raises(
        ValueError,
        match=r'no image in the folder .*files of other types: 1 \(notes\.pdf',
    ):
        list_images(str(tmp_path))


PIXELS = np.zeros((4, 4, 3), np.uint8)
WRONG_INPUTS = {
    'bytes': (b'\x89PNG' * 10**6, r'the input is 4,000,000 bytes .*imfromb'),
    'text': ('iVBOR' * 10**6, 'has 5,000,000 characters and is not a path'),
    'tensor': (torch.zeros(3, 512, 512), r'the Tensor of .*\(3, 512, 512\);'),
    'Pillow image': (Image.new('RGB', (4, 4)), r'the Image .*np\.array\('),
    'None': (None, 'the input is None; give paths or arrays'),
    'number': (3, 'the input is the int 3; give'),
    'dict': ({'img': PIXELS}, 'the input is the dict .*; give paths'),
    'mixed list': (['a.png', PIXELS, 7], 'input 2 of 3 is the int 7; give'),
    'tensors': ([PIXELS, torch.zeros(9)], r'input 1 of 2 is the Tensor'),
    'nested list': ([['a.png'] * 10**5, 'b'], 'input 0 of 2 .*one flat list'),
}


@pytest.mark.parametrize('name', WRONG_INPUTS)
def test_an_input_of_another_type_is_named_in_one_short_sentence(name):
    value, message = WRONG_INPUTS[name]
    with pytest.raises(ValueError, match=message) as caught:
        list_inputs(value)
    assert len(str(caught.value)) < 350
    assert '\n' not in str(caught.value)


def test_paths_and_arrays_may_be_mixed():
    assert list_inputs([Path('a.png'), PIXELS, 'b']) == ['a.png', PIXELS, 'b']
    assert list_inputs(PIXELS) == [PIXELS]


def test_an_empty_list_gives_a_warning(monkeypatch):
    said = []
    monkeypatch.setattr(
        'ltvl_mm.apis.image_loading.print_log',
        lambda text, *args, **kwargs: said.append(text),
    )
    assert list_inputs([]) == []
    assert said == [
        'no image was given: the list is empty, and so is the result'
    ]

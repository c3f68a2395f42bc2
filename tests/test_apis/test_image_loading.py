"""Every odd folder as an input of the inferencer."""

import pytest
from odd_inputs.folders import FOLDERS, write_files

from ltvl_mm.apis.image_loading import list_images


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

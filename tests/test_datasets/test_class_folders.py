"""Every odd folder as a class folder."""

import pytest
from odd_inputs.folders import FOLDERS, draw, write_files

from ltvl_mm.datasets import class_folders
from ltvl_mm.datasets.long_tail_files import read_labeled_images


@pytest.fixture
def messages(monkeypatch):
    found = []
    monkeypatch.setattr(
        class_folders, 'print_log', lambda text, *_, **__: found.append(text)
    )
    return found


@pytest.mark.parametrize('name', FOLDERS)
def test_class_folders_hold_all_images(name, tmp_path, messages):
    case = FOLDERS[name]
    root = tmp_path / 'root'
    (root / 'big_cat').mkdir(parents=True)
    case.write(root / 'big_cat')
    write_files(root, {'dog/0.png': 9, '.ipynb_checkpoints/0.png': 1})
    images, names = read_labeled_images(root)
    assert names == ('big cat', 'dog')
    due = {f'big_cat/{p}': n for p, n in (case.images | case.linked).items()}
    assert sorted(images.paths) == sorted([*due, 'dog/0.png'])
    assert images.labels.tolist() == [0] * len(due) + [1]
    for path, number in due.items():
        assert (root / path).read_bytes() == draw(number)
    (message,) = messages
    assert f'{len(images)} images in 2 class folders; left out' in message
    assert '.ipynb_checkpoints' in message
    # Photos in class folders have no captions, so texts are not counted.
    counts = [
        text
        for text in case.log
        if 'hidden' not in text and 'captions' not in text
    ]
    assert all(text in message for text in counts if ': ' in text)


def test_no_class_and_empty_classes_are_refused(tmp_path):
    write_files(tmp_path, {'0.png': 0, '.hidden/1.png': 1})
    with pytest.raises(
        ValueError, match=r'no class folders; .* outside class folders: 1 \(0'
    ):
        read_labeled_images(tmp_path)
    write_files(tmp_path, {'cat/0.png': 0, 'dog/notes.pdf': 'x'})
    with pytest.raises(
        ValueError, match=r'1 class folders of .* have no image: dog; left'
    ):
        read_labeled_images(tmp_path)

"""Every odd folder through the reader of the embedding."""

import hashlib

import pytest
from odd_inputs.folders import FOLDERS, draw, write_files
from odd_inputs.tar_members import write_members

from ltvl_mm.retrieval.reading import shards as shards_module
from ltvl_mm.retrieval.reading.shards import find_shards, iterate_shard
from ltvl_mm.retrieval.reading.web_image import read_image_bytes


@pytest.fixture
def messages(monkeypatch):
    found = []
    monkeypatch.setattr(
        shards_module, 'print_log', lambda text, *_, **__: found.append(text)
    )
    return found


@pytest.mark.parametrize('name', FOLDERS)
def test_each_image_of_a_folder_is_read_once(name, tmp_path, messages):
    case, folder = FOLDERS[name], tmp_path / 'images'
    folder.mkdir()
    case.write(folder)
    (shard,) = find_shards([str(folder)])
    found = list(iterate_shard(shard))
    assert [i.key for i in found] == sorted(case.images)
    for image in found:
        assert image.data == draw(case.images[image.key])
        sha256 = hashlib.sha256(image.data).hexdigest()
        size = len(image.data)
        assert read_image_bytes(image.source, 0, size, sha256) == image.data
    assert all(text in ''.join(messages) for text in case.log)
    assert bool(case.log) == bool(messages)


def test_loose_images_are_read_as_well_as_the_tars(tmp_path, messages):
    write_members(tmp_path / '00000.tar', [('a.png', 0)])
    write_files(
        tmp_path,
        {
            'b.png': 1,
            'sub/c.png': 2,
            'b.txt': 'caption',
            'old.zip': 'x',
            '.cache/d.png': 3,
        },
    )
    keys = [
        image.key
        for shard in find_shards([str(tmp_path)])
        for image in iterate_shard(shard)
    ]
    assert keys == ['00000/a', 'b.png', 'sub/c.png']
    (message,) = messages
    assert message == (
        f'{tmp_path}: 1 shard files and 2 image files; left out: archives, '
        f'which must be unpacked: 1 (old.zip); hidden entries: 1 (.cache)'
    )


def test_links_to_tars_lead_anywhere(tmp_path):
    write_members(tmp_path / 'data' / '00000.tar', [('a.png', 0)])
    (tmp_path / 'web').mkdir()
    (tmp_path / 'web' / '1.tar').symlink_to(tmp_path / 'data' / '00000.tar')
    (shard,) = find_shards([str(tmp_path / 'web')])
    assert [image.key for image in iterate_shard(shard)] == ['1/a']


def test_names_with_brackets_and_braces_are_no_patterns(tmp_path):
    write_files(tmp_path, {'[a]/0.png': 0, '{x,y}/1.png': 1})
    inputs = [str(tmp_path / '[a]'), str(tmp_path / '{x,y}')]
    (shard,) = find_shards(inputs)
    assert [key for key, _ in shard.files] == ['0.png', '1.png']


def test_a_folder_without_images_says_what_is_in_it(tmp_path):
    write_files(tmp_path, {'a.tar.gz': 'x', '.b.png': 0, 'c.pdf': 'x'})
    with pytest.raises(
        ValueError,
        match=r'no image in .*; left out: archives, which must be unpacked: 1',
    ):
        find_shards([str(tmp_path)])

"""Folders, lists and ranges of tars as shards, and their bytes read again."""

import hashlib
import os

import pytest
from shard_files import map_reasons, read_shard, write_samples
from web_memory import draw, write_tar

from ltvl_mm.retrieval.reading.shards import Shard, find_shards, iterate_shard
from ltvl_mm.retrieval.reading.web_image import read_image_bytes


@pytest.fixture
def tar_of(tmp_path):
    return lambda *members: write_tar(tmp_path / 's.tar', members)


@pytest.fixture
def samples(tar_of):
    return write_samples(tar_of)


# Folders and lists.


@pytest.fixture
def images(tmp_path):
    """Four images in a folder, among what is none."""
    folder = tmp_path / 'images'
    for number, name in enumerate(
        ('b/2.png', 'b/1.PNG', 'a b/my dog 3.png', 'c.png')
    ):
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(draw(number))
    (folder / 'notes.txt').write_text('x')
    (tmp_path / 'outside.png').write_bytes(draw(9))
    (folder / 'link.png').symlink_to(tmp_path / 'outside.png')
    return folder


def test_a_folder_is_searched_and_sorted_by_path(images):
    (shard,) = find_shards([str(images)])
    found = list(iterate_shard(shard))
    assert [i.key for i in found] == [
        'a b/my dog 3.png',
        'b/1.PNG',
        'b/2.png',
        'c.png',
    ]
    assert [i.data for i in found] == [draw(n) for n in (2, 1, 0, 3)]


def test_a_link_that_stays_in_the_folder_is_an_image_of_it(images):
    (images / 'd.png').symlink_to(images / 'c.png')
    (shard,) = find_shards([str(images)])
    assert [key for key, _ in shard.files][-2:] == ['c.png', 'd.png']


def test_many_files_make_many_shards(images):
    found = find_shards([str(images)], files_per_shard=3)
    assert [shard.name for shard in found] == ['files-00000', 'files-00001']
    assert [len(shard.files) for shard in found] == [3, 1]


def test_captions_and_records_lie_beside_the_images_of_a_folder(tmp_path):
    folder = tmp_path / 'web'
    folder.mkdir()
    (tmp_path / 'secret').write_text('not ours')
    for name in 'abc':
        (folder / f'{name}.jpg').write_bytes(b'x')
    (folder / 'a.txt').write_text(' a café \n')
    (folder / 'a.json').write_text(
        '{"url": "http://x", "punsafe": 0.5, "caption": "not this one"}'
    )
    (folder / 'b.json').write_text('{"caption": "only here"')
    (folder / 'c.txt').symlink_to(tmp_path / 'secret')
    (shard,) = find_shards([str(folder)])
    found = [(i.key, i.caption, i.url, i.known) for i in iterate_shard(shard)]
    assert found == [
        ('a.jpg', 'a café', 'http://x', {'punsafe': 0.5}),
        ('b.jpg', '', '', {}),
        ('c.jpg', '', '', {}),
    ]


def test_a_list_may_have_labels_spaces_and_empty_lines(images):
    (images / 'list.txt').write_text(
        'b/2.png 17\na b/my dog 3.png\n\na b/my dog 3.png -1\nmissing.png 1\n'
    )
    (shard,) = find_shards([str(images / 'list.txt')])
    assert map_reasons(iterate_shard(shard)) == {
        'a b/my dog 3.png': 'read',
        'b/2.png': 'read',
        'missing.png': 'unreadable: No such file or directory',
    }


def test_the_paths_of_a_list_are_relative_to_the_root(images, tmp_path):
    (tmp_path / 'list.txt').write_text('c.png 0\n')
    (shard,) = find_shards([str(tmp_path / 'list.txt')], root=images)
    assert [i.data for i in iterate_shard(shard)] == [draw(3)]


@pytest.mark.parametrize('path', ['../c.png', '/c.png', 'b/../../c.png 3'])
def test_a_listed_path_stays_below_the_root(images, path):
    (images / 'list.txt').write_text(f'c.png 0\n{path}\n')
    with pytest.raises(
        ValueError, match=r'list\.txt, line 2: .* leaves the image root'
    ):
        find_shards([str(images / 'list.txt')], root=images)


def test_absolute_paths_are_read_below_the_root_and_without_one(images):
    (images / 'list.txt').write_text(f'{images}/c.png 0\n')
    for root, key in ((images, 'c.png'), (None, f'{images}/c.png')):
        (shard,) = find_shards([str(images / 'list.txt')], root=root)
        assert map_reasons(iterate_shard(shard)) == {key: 'read'}


def test_a_missing_root_is_named(images):
    (images / 'list.txt').write_text('c.png 0\n')
    with pytest.raises(
        ValueError, match=r'image root .*nowhere does not exist'
    ):
        find_shards([str(images / 'list.txt')], root=images / 'nowhere')


def test_a_path_that_is_not_utf8_is_listed(tmp_path):
    file = os.fsencode(tmp_path) + b'/caf\xe9.png'
    with open(file, 'wb') as handle:
        handle.write(draw(0))
    (shard,) = find_shards([str(tmp_path)])
    assert map_reasons(iterate_shard(shard)) == {
        'caf\\udce9.png': 'its path is not UTF-8'
    }


def test_two_files_of_one_key_are_refused_and_one_file_twice_is_one(images):
    (images / 'all.txt').write_text('c.png 0\nb/2.png 0\n')
    assert len(find_shards([str(images), str(images / 'all.txt')])) == 1
    # 'b' and 'd' each have a '2.png': one would hide the other.
    (images / 'd').mkdir()
    (images / 'd' / '2.png').write_bytes(draw(5))
    with pytest.raises(ValueError, match=r"have the same key '2\.png'"):
        find_shards([str(images / 'b'), str(images / 'd')])


# Inputs.


@pytest.fixture
def tars(tmp_path):
    for name in ('00000', '00001', '00002', '00010'):
        write_tar(tmp_path / 'laion' / f'{name}.tar', [('0.jpg', b'x')])
    return tmp_path / 'laion'


@pytest.mark.parametrize(
    'inputs',
    [
        ['.'],
        ['*.tar'],
        ['{00000..00002}.tar', '00010.tar'],
        ['00010.tar', '0000[0-2].tar', './00001.tar'],
    ],
)
def test_however_they_are_named_the_same_tars_are_the_same_shards(
    tars, monkeypatch, inputs
):
    monkeypatch.chdir(tars)
    assert find_shards(inputs) == [
        Shard(name, tar=tars / f'{name}.tar')
        for name in ('00000', '00001', '00002', '00010')
    ]


def test_a_missing_tar_of_a_range_is_named(tars):
    with pytest.raises(
        ValueError,
        match=r'00003\.tar does not exist; expected a tar',
    ):
        find_shards([str(tars / '{00000..00003}.tar')])


def test_tars_of_equal_names_are_told_apart_by_their_folders(tmp_path, tars):
    write_tar(tmp_path / 'cc3m' / '00001.tar', [('0.jpg', b'y')])
    names = [shard.name for shard in find_shards([str(tmp_path)])]
    assert names == [
        '00000',
        '00002',
        '00010',
        'cc3m/00001',
        'laion/00001',
    ]


def test_tars_that_cannot_be_told_apart_are_refused(tmp_path):
    for folder in ('a/laion', 'b/laion'):
        write_tar(tmp_path / folder / '0.tar', [('0.jpg', b'y')])
    with pytest.raises(ValueError, match='have the same name; rename one'):
        find_shards([str(tmp_path)])


@pytest.mark.parametrize('name', ['none.tar', 'none', '*.tar', 'list.csv'])
def test_an_input_that_is_nothing_is_refused(tmp_path, name):
    (tmp_path / 'list.csv').touch()
    with pytest.raises(
        ValueError,
        match=r'; expected a tar, a parquet .* or a \.txt',
    ):
        find_shards([str(tmp_path / name)])


def test_an_input_without_images_is_refused_though_others_have_some(
    tmp_path, tars
):
    (tmp_path / 'empty').mkdir()
    (tmp_path / 'empty.txt').touch()
    for name in ('empty', 'empty.txt'):
        with pytest.raises(ValueError, match=f'no image in .*{name}'):
            find_shards([str(tars), str(tmp_path / name)])


def test_no_inputs_are_refused():
    with pytest.raises(ValueError, match='there are no inputs'):
        find_shards([])


# Reading again.


def _fetch(image, **change):
    place = dict(
        offset=image.offset,
        size=len(image.data),
        sha256=hashlib.sha256(image.data).hexdigest(),
    )
    return read_image_bytes(image.source, **place | change)


def test_the_bytes_are_found_again(tars, images, samples):
    for found in (read_shard(samples), read_shard(tars / '00001.tar')):
        assert [_fetch(i) for i in found] == [i.data for i in found]
    (shard,) = find_shards([str(images)])
    found = list(iterate_shard(shard))
    assert [_fetch(i) for i in found] == [i.data for i in found]


def test_a_memory_that_has_changed_is_noticed(samples):
    image = read_shard(samples)[3]
    data = bytearray(samples.read_bytes())
    data[image.offset] ^= 1
    samples.write_bytes(data)
    with pytest.raises(ValueError, match=r'changed: .*s\.tar has other bytes'):
        _fetch(image)
    os.truncate(samples, image.offset)
    with pytest.raises(ValueError, match=r'changed: .*s\.tar has other bytes'):
        _fetch(image)
    samples.unlink()
    with pytest.raises(ValueError, match=r'changed: .*s\.tar: No such file'):
        _fetch(image)


@pytest.mark.parametrize('missing', range(4))
def test_where_an_image_lies_must_be_known(samples, missing):
    place = [str(samples), 512, 300, 'sha256']
    place[missing] = None  # as in a store that others made
    with pytest.raises(ValueError, match='does not say where its images lie'):
        read_image_bytes(*place)

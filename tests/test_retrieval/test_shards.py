import hashlib
import io
import os
import tarfile

import numpy as np
import pytest
from web_memory import draw, read_folder, write_tar

from ltvl_mm.retrieval.reading import tars as tars_module
from ltvl_mm.retrieval.reading.image_text import MAX_CAPTION
from ltvl_mm.retrieval.reading.shards import (
    Shard,
    find_shards,
    iterate_shard,
)
from ltvl_mm.retrieval.reading.web_image import read_image_bytes


def _read(tar):
    return list(iterate_shard(Shard('s', tar=tar)))


def _name(found):
    """Keys of what was read; for what was not, the reason."""
    return {image.key: image.reason or 'read' for image in found}


@pytest.fixture
def tar_of(tmp_path):
    return lambda *members: write_tar(tmp_path / 's.tar', members)


# Tars: the samples.


def test_captions_and_urls_stay_with_their_image(tar_of):
    tar = tar_of(
        ('0.jpg', b'a'),
        ('0.txt', ' a café \n'.encode()),
        ('0.json', b'{"caption": "not this one", "url": "http://x"}'),
        ('1.json', b'{"caption": "only here", "url": null}'),
        ('1.png', b'b'),
        ('sub/1.webp', b'c'),
    )
    found = [(i.key, i.data, i.caption, i.url) for i in _read(tar)]
    assert found == [
        ('s/0', b'a', 'a café', 'http://x'),
        ('s/1', b'b', 'only here', ''),
        ('s/sub/1', b'c', '', ''),
    ]


def test_a_key_ends_at_the_only_dot_as_in_webdataset(tar_of):
    found = _read(tar_of(('a.v2.jpg', b'x'), ('b.JPG', b'y'), ('c', b'z')))
    # Samples of webdataset may have members that are not images.
    assert _name(found) == {'s/a.v2.jpg': 'read', 's/b': 'read'}


@pytest.mark.parametrize(
    'record', [b'', b'{', b'\xff\xfe', b'[1]', b'null', b'[' * 200_000]
)
def test_json_that_is_none_costs_the_caption_only(tar_of, record):
    tar = tar_of(('0.jpg', b'a'), ('0.json', record), ('1.jpg', b'b'))
    assert [(i.key, i.caption, i.reason) for i in _read(tar)] == [
        ('s/0', '', None),
        ('s/1', '', None),
    ]


def test_all_text_can_be_written_as_utf8(tar_of):
    # Half an emoji, and a Latin-1 file name, as the web has them.
    tar = tar_of(
        ('caf\udce9.jpg', b'a'),
        ('caf\udce9.json', b'{"caption": "\\ud83d", "url": "\\ud83d"}'),
        ('x.jpg', b'b'),
        ('x.txt', b'\xff'),
    )
    found = [(i.key, i.caption, i.url) for i in _read(tar)]
    assert found == [
        ('s/caf\\udce9', '\\ud83d', '\\ud83d'),
        ('s/x', '\ufffd', ''),
    ]


def test_captions_have_a_longest(tar_of):
    (image,) = _read(tar_of(('0.jpg', b'a'), ('0.txt', b'x' * 5000)))
    assert len(image.caption) == MAX_CAPTION


def test_a_second_image_of_a_key_is_listed_and_the_first_is_kept(tar_of):
    tar = tar_of(
        ('0.jpg', b'first'),
        ('0.jpg', b'next to it'),
        ('1.jpg', b'b'),
        ('0.jpg', b'far from it'),
    )
    assert [(i.key, i.data, i.reason) for i in _read(tar)] == [
        ('s/0', b'first', None),
        ('s/0', None, 'a second image of this key'),
        ('s/1', b'b', None),
        ('s/0', None, 'a second image of this key'),
    ]


def test_a_member_that_is_too_large_is_listed_and_not_read(
    tar_of, monkeypatch
):
    monkeypatch.setattr(tars_module, 'MAX_IMAGE_BYTES', 10)
    tar = tar_of(
        ('0.jpg', b'x' * 11),
        ('1.jpg', b'x' * 10),
        ('2.jpg', b'x'),
        ('2.json', b' ' * 11),
    )
    assert _name(_read(tar)) == {
        's/0': '11 bytes is too large',
        's/1': 'read',
        's/2': 'read',
    }


def test_other_members_of_a_sample_are_not_read(tar_of, monkeypatch):
    tar = tar_of(
        ('0.cls', b'x'),
        *((f'0.x{n}', b'x') for n in range(50)),
        ('0.jpg', b'a'),
    )
    read, read_data = [], tars_module.read_data

    def watch(file, member, **options):
        read.append(member.name)
        return read_data(file, member, **options)

    monkeypatch.setattr(tars_module, 'read_data', watch)
    assert _name(_read(tar)) == {'s/0': 'read'}
    assert read == ['0.jpg']


# Tars: what is hostile or broken.


def test_names_and_links_reach_nothing_outside(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / 'secret.jpg').write_bytes(b'secret')
    with tarfile.open('s.tar', 'w') as tar:
        for name in ('../../up.jpg', '/etc/root.jpg', 'a/../b.jpg'):
            tar.addfile(tarfile.TarInfo(name))
        for name, kind in [
            ('1.jpg', tarfile.SYMTYPE),
            ('2.jpg', tarfile.LNKTYPE),
            ('3.jpg', tarfile.CHRTYPE),
            ('4.jpg', tarfile.FIFOTYPE),
            ('5.jpg', tarfile.DIRTYPE),
        ]:
            member = tarfile.TarInfo(name)
            member.type, member.linkname = kind, str(tmp_path / 'secret.jpg')
            tar.addfile(member)
    before = read_folder(tmp_path)
    found = _read(tmp_path / 's.tar')
    assert [i.key for i in found] == [
        's/../../up',
        's//etc/root',
        's/a/../b',
    ]
    assert [i.data for i in found] == [b'', b'', b'']
    assert read_folder(tmp_path) == before


def test_files_with_holes_are_listed_and_not_read(tmp_path):
    # Their bytes do not lie in the tar as they are read.
    member = tarfile.TarInfo('0.jpg')
    member.pax_headers = {
        'GNU.sparse.major': '1',
        'GNU.sparse.minor': '0',
        'GNU.sparse.name': '0.jpg',
        'GNU.sparse.realsize': '905',
    }
    data = b'1\n900\n5\n'.ljust(512, b'\0') + b'image'
    member.size = len(data)
    with tarfile.open(tmp_path / 's.tar', 'w') as tar:
        tar.addfile(member, io.BytesIO(data))
    with tarfile.open(tmp_path / 's.tar') as tar:
        assert tar.extractfile('0.jpg').read() == bytes(900) + b'image'
    (image,) = _read(tmp_path / 's.tar')
    assert (image.key, image.data) == ('s/0', None)
    assert 'stored with holes (tar --sparse); extract' in image.reason


def test_hidden_files_are_no_samples(tar_of):
    # macOS puts a '._x' beside every 'x'; '.' and '/' have no name at all.
    names = ('./._0.jpg', './0.jpg', './._0.txt', './0.txt', '.', '/', '..')
    (image,) = _read(tar_of(*((name, b'x') for name in names)))
    assert (image.key, image.caption) == ('s/0', 'x')


@pytest.fixture
def samples(tar_of):
    """A tar of 5 samples of 2 members of 2 blocks of 512 bytes."""
    return tar_of(
        *(
            (f'{number}.{suffix}', bytes([number]) * 300)
            for number in range(5)
            for suffix in ('jpg', 'txt')
        )
    )


@pytest.mark.parametrize('beyond', [0, 100, 512, 700])
@pytest.mark.parametrize('member', range(10))
def test_a_cut_tar_gives_what_is_whole_and_says_so(samples, member, beyond):
    # Between members, in a header, and in the data: tarfile itself takes
    # the first two for the end of the tar.
    os.truncate(samples, 1024 * member + beyond)
    *found, last = _read(samples)
    # Only the header of the next sample says that one has lost no member.
    last_header = member if beyond >= 512 else member - 1
    due = max(0, last_header) // 2
    if beyond == 0:  # GNU tar extracts all members without a message
        due = (member + 1) // 2
    assert len(found) == due
    assert [i.data for i in found] == [
        bytes([number]) * 300 for number in range(len(found))
    ]
    assert (last.key, last.data) == ('s', None)
    assert 'the tar is broken from here' in last.reason


@pytest.mark.parametrize('member', range(10))
def test_a_damaged_header_is_not_taken_for_the_end(samples, member):
    data = bytearray(samples.read_bytes())
    data[1024 * member + 150] ^= 255  # the checksum
    samples.write_bytes(data)
    *found, last = _read(samples)
    assert len(found) == max(0, member - 1) // 2
    assert 'the tar is broken from here' in last.reason


@pytest.mark.parametrize('data', [b'', b'no tar', bytes(100)])
def test_what_is_no_tar_is_listed(tmp_path, data):
    (tmp_path / 's.tar').write_bytes(data)
    (image,) = _read(tmp_path / 's.tar')
    assert 'the tar is broken from here' in image.reason


def test_a_tar_without_members_has_no_image(tar_of):
    assert _read(tar_of()) == []


def test_random_headers_never_raise(samples):
    rng = np.random.default_rng(0)
    whole = samples.read_bytes()[: 1024 * 6] + bytes(1024)
    for _ in range(300):
        data = np.frombuffer(whole, np.uint8).copy()
        header = data[1024 * rng.integers(6) :][:512]
        # Half of them in the size and the type of the member.
        for place in [*rng.integers(512, size=2), *rng.integers(124, 157, 2)]:
            header[place] = rng.integers(256)
        header[148:156] = ord(' ')  # the checksum is made right again
        header[148:154] = list(b'%06o' % header.sum(dtype=int))
        samples.write_bytes(data.tobytes())
        assert all(
            (i.data is None) == (i.reason is not None) for i in _read(samples)
        )


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
    assert _name(iterate_shard(shard)) == {
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
        assert _name(iterate_shard(shard)) == {key: 'read'}


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
    assert _name(iterate_shard(shard)) == {
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
    for found in (_read(samples), _read(tars / '00001.tar')):
        assert [_fetch(i) for i in found] == [i.data for i in found]
    (shard,) = find_shards([str(images)])
    found = list(iterate_shard(shard))
    assert [_fetch(i) for i in found] == [i.data for i in found]


def test_a_memory_that_has_changed_is_noticed(samples):
    image = _read(samples)[3]
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

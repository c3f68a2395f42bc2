import io
import os
import tarfile

import numpy as np
import pytest
from shard_files import map_reasons, read_shard, write_samples
from web_memory import read_folder, write_tar

from ltvl_mm.retrieval.reading import tars as tars_module
from ltvl_mm.retrieval.reading.image_text import MAX_CAPTION


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
    found = [(i.key, i.data, i.caption, i.url) for i in read_shard(tar)]
    assert found == [
        ('s/0', b'a', 'a café', 'http://x'),
        ('s/1', b'b', 'only here', ''),
        ('s/sub/1', b'c', '', ''),
    ]


def test_a_key_ends_at_the_only_dot_as_in_webdataset(tar_of):
    found = read_shard(
        tar_of(('a.v2.jpg', b'x'), ('b.JPG', b'y'), ('c', b'z'))
    )
    # Samples of webdataset may have members that are not images.
    assert map_reasons(found) == {'s/a.v2.jpg': 'read', 's/b': 'read'}


@pytest.mark.parametrize(
    'record', [b'', b'{', b'\xff\xfe', b'[1]', b'null', b'[' * 200_000]
)
def test_json_that_is_none_costs_the_caption_only(tar_of, record):
    tar = tar_of(('0.jpg', b'a'), ('0.json', record), ('1.jpg', b'b'))
    assert [(i.key, i.caption, i.reason) for i in read_shard(tar)] == [
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
    found = [(i.key, i.caption, i.url) for i in read_shard(tar)]
    assert found == [
        ('s/caf\\udce9', '\\ud83d', '\\ud83d'),
        ('s/x', '\ufffd', ''),
    ]


def test_captions_have_a_longest(tar_of):
    (image,) = read_shard(tar_of(('0.jpg', b'a'), ('0.txt', b'x' * 5000)))
    assert len(image.caption) == MAX_CAPTION


def test_a_second_image_of_a_key_is_listed_and_the_first_is_kept(tar_of):
    tar = tar_of(
        ('0.jpg', b'first'),
        ('0.jpg', b'next to it'),
        ('1.jpg', b'b'),
        ('0.jpg', b'far from it'),
    )
    assert [(i.key, i.data, i.reason) for i in read_shard(tar)] == [
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
    assert map_reasons(read_shard(tar)) == {
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
    assert map_reasons(read_shard(tar)) == {'s/0': 'read'}
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
    found = read_shard(tmp_path / 's.tar')
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
    (image,) = read_shard(tmp_path / 's.tar')
    assert (image.key, image.data) == ('s/0', None)
    assert 'stored with holes (tar --sparse); extract' in image.reason


def test_hidden_files_are_no_samples(tar_of):
    # macOS puts a '._x' beside every 'x'; '.' and '/' have no name at all.
    names = ('./._0.jpg', './0.jpg', './._0.txt', './0.txt', '.', '/', '..')
    (image,) = read_shard(tar_of(*((name, b'x') for name in names)))
    assert (image.key, image.caption) == ('s/0', 'x')


@pytest.fixture
def samples(tar_of):
    return write_samples(tar_of)


@pytest.mark.parametrize('beyond', [0, 100, 512, 700])
@pytest.mark.parametrize('member', range(10))
def test_a_cut_tar_gives_what_is_whole_and_says_so(samples, member, beyond):
    # Between members, in a header, and in the data: tarfile itself takes
    # the first two for the end of the tar.
    os.truncate(samples, 1024 * member + beyond)
    *found, last = read_shard(samples)
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
    *found, last = read_shard(samples)
    assert len(found) == max(0, member - 1) // 2
    assert 'the tar is broken from here' in last.reason


@pytest.mark.parametrize('data', [b'', b'no tar', bytes(100)])
def test_what_is_no_tar_is_listed(tmp_path, data):
    (tmp_path / 's.tar').write_bytes(data)
    (image,) = read_shard(tmp_path / 's.tar')
    assert 'the tar is broken from here' in image.reason


def test_a_tar_without_members_has_no_image(tar_of):
    assert read_shard(tar_of()) == []


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
            (i.data is None) == (i.reason is not None)
            for i in read_shard(samples)
        )

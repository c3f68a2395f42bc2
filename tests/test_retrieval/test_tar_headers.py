"""Headers of tar members, as tarfile reads them."""

import tarfile

import numpy as np
import pytest

from ltvl_mm.retrieval.reading.tar_headers import read_plain_header


def make_header(name='a.jpg', form=tarfile.USTAR_FORMAT, **values):
    member = tarfile.TarInfo(name)
    for field, value in values.items():
        setattr(member, field, value)
    return member.tobuf(form, 'utf-8', 'surrogateescape')


def read_slowly(block):
    """Return name and size by tarfile; None if it finds no regular file."""
    try:
        header = tarfile.TarInfo.frombuf(block, 'utf-8', 'surrogateescape')
    except (tarfile.HeaderError, ValueError):
        return None
    return (header.name, header.size) if header.type == b'0' else None


@pytest.mark.parametrize('form', [tarfile.USTAR_FORMAT, tarfile.GNU_FORMAT])
@pytest.mark.parametrize(
    'name',
    ['a.jpg', 'é.jpg', 'd/./a', 'a' * 99, 'a' * 100, 'd' * 120 + '/a.jpg'],
)
def test_plain_headers_are_those_of_tarfile(form, name):
    blocks = make_header(name, form, size=8**11 - 1, mtime=123, uid=1000)
    last = blocks[-512:]  # after the long name of GNU
    found = read_plain_header(last)
    assert found is not None
    assert found == read_slowly(last)


@pytest.mark.parametrize(
    'values',
    [
        {'type': tarfile.SYMTYPE, 'linkname': 'b'},
        {'type': tarfile.DIRTYPE},
        {'type': tarfile.GNUTYPE_SPARSE},
        {'size': 8**11, 'form': tarfile.GNU_FORMAT},
        {'uid': 1 << 40, 'form': tarfile.GNU_FORMAT},
    ],
)
def test_other_headers_are_left_to_tarfile(values):
    assert read_plain_header(make_header(**values)) is None


@pytest.mark.parametrize('form', [tarfile.USTAR_FORMAT, tarfile.GNU_FORMAT])
def test_damaged_headers_are_read_as_tarfile_does_or_left_to_it(form):
    rng = np.random.default_rng(0)
    block = make_header('d' * 60 + '/a.jpg', form, size=4321)
    read = 0
    for _ in range(4000):
        damaged = bytearray(block)
        place, value = rng.integers((512, 256))
        damaged[place] = value
        if rng.integers(2):  # with a checksum that fits
            damaged[148:156] = b' ' * 8
            damaged[148:156] = b'%06o\0 ' % sum(damaged)
        found = read_plain_header(bytes(damaged))
        if found is not None:
            read += 1
            assert found == read_slowly(bytes(damaged))
    assert read > 1000

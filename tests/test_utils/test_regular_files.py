import os
import socket

import pytest

from ltvl_mm.utils.regular_files import open_regular, read_regular


def test_reads_a_file_and_a_link_to_it(tmp_path):
    (tmp_path / 'a').write_bytes(b'some bytes')
    (tmp_path / 'b').symlink_to(tmp_path / 'a')
    assert read_regular(tmp_path / 'b') == b'some bytes'
    with open_regular(str(tmp_path / 'a')) as file:
        file.seek(5)
        assert file.read(2) == b'by'


def test_limits_the_size(tmp_path):
    (tmp_path / 'a').write_bytes(b'12345')
    assert read_regular(tmp_path / 'a', max_bytes=5) == b'12345'
    assert read_regular(tmp_path / 'a', max_bytes=3, cut=True) == b'123'
    with pytest.raises(ValueError, match='has 5 bytes, but at most 4'):
        read_regular(tmp_path / 'a', max_bytes=4)


def test_a_missing_file_is_an_os_error(tmp_path):
    with pytest.raises(FileNotFoundError):
        open_regular(tmp_path / 'none')


@pytest.mark.parametrize('kind', ['folder', 'pipe', 'socket', 'device'])
def test_refuses_what_is_not_a_regular_file(tmp_path, monkeypatch, kind):
    monkeypatch.chdir(tmp_path)  # a socket's path is short
    if kind == 'folder':
        os.mkdir('x')
    elif kind == 'pipe':
        os.mkfifo('x')
    elif kind == 'socket':
        socket.socket(socket.AF_UNIX).bind('x')
    else:
        os.symlink('/dev/zero', 'x')
    with pytest.raises(ValueError, match=rf'x is a .*{kind}.*; expected a'):
        open_regular('x')

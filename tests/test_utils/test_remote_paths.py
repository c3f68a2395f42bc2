"""Addresses as paths; no server is needed."""

from pathlib import Path

import pytest
from torch._utils import ExceptionWrapper

from ltvl_mm.utils import remote_calls
from ltvl_mm.utils.io import read_json, write_json
from ltvl_mm.utils.remote_errors import RemoteError
from ltvl_mm.utils.remote_paths import RemotePath, as_path, is_remote


def test_an_address_has_the_parts_of_a_path():
    path = as_path('S3://bucket/web/00000.tar')
    assert str(path) == f'{path}' == 's3://bucket/web/00000.tar'
    assert (path.name, path.stem, path.suffix) == (
        '00000.tar',
        '00000',
        '.tar',
    )
    assert str(path.parent) == 's3://bucket/web'
    assert str(path.with_suffix('.txt')) == 's3://bucket/web/00000.txt'
    assert str(path.parent / 'a' / 'b c.jpg') == 's3://bucket/web/a/b c.jpg'
    assert path.absolute() is path.resolve() is path
    assert path == as_path('s3://bucket/web/00000.tar')
    assert path != as_path('gs://bucket/web/00000.tar')
    assert sorted([path, path.parent]) == [path.parent, path]
    assert str(as_path('s3://bucket/web/')) == 's3://bucket/web'


@pytest.mark.parametrize('text', ['web/0.tar', '/a/b', 'a:b', 's3:', 'a//b'])
def test_other_texts_are_local_paths(text):
    assert as_path(text) == Path(text)
    assert not is_remote(text)
    assert not isinstance(as_path(text), RemotePath)


def test_a_file_address_is_a_local_path(tmp_path):
    write_json(f'file://{tmp_path}/a.json', 1)
    assert read_json(tmp_path / 'a.json') == 1
    assert as_path(f'file://{tmp_path}') == tmp_path
    assert not is_remote('/data/s3://x/y')


@pytest.mark.parametrize(
    'name', ['../x', 'a/../../x', '/etc/passwd', 's3://other/x', 'a\0b']
)
@pytest.mark.parametrize('root', ['s3://bucket/web', 'https://host/web'])
def test_no_name_leaves_its_folder(root, name):
    with pytest.raises(ValueError, match='leaves the folder'):
        as_path(root) / name


@pytest.mark.parametrize(
    'name', ['%2e%2e/x', 'a?b', 'a#b', '..\\x', '%2E%2E%2Fx']
)
def test_no_name_leaves_its_folder_on_a_web_server(name):
    with pytest.raises(ValueError, match='leaves the folder'):
        as_path('https://host/web') / name


@pytest.mark.parametrize(
    'text',
    ['s3://b/../c/x', 's3://b//x', 's3:///x', 's3://', 's3://b/./x'],
)
def test_odd_addresses_are_refused(text):
    with pytest.raises(ValueError, match=r'without empty, \. and \.\. parts'):
        as_path(text)


@pytest.mark.parametrize(
    'text',
    [
        's3://KEY:SECRET@bucket/x',
        'https://user:SECRET@host/x',
        'https://host/x?sig=SECRET',
        'https://host/x#SECRET',
    ],
)
def test_secrets_in_addresses_are_refused_and_not_repeated(text):
    with pytest.raises(
        ValueError, match='give credentials to fsspec'
    ) as error:
        as_path(text)
    assert 'SECRET' not in str(error.value)


def test_an_address_is_never_a_local_path(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(TypeError, match='s3://b/x is not a local path'):
        open(as_path('s3://b/x'))
    for broken in (Path('s3://b/x'), Path(str(as_path('s3://b/x')))):
        with pytest.raises(ValueError, match='give the address as text'):
            as_path(broken)
        with pytest.raises(ValueError, match='give the address as text'):
            write_json(broken, 1)
    assert not list(tmp_path.iterdir())


def test_an_unknown_scheme_is_named():
    with pytest.raises(ValueError, match='ftpx:// is unknown to fsspec'):
        as_path('ftpx://host/x')


def test_a_missing_package_is_named(monkeypatch):
    import fsspec

    def fail(scheme):
        raise ImportError('Install s3fs to access S3')

    monkeypatch.setattr(fsspec, 'get_filesystem_class', fail)
    with pytest.raises(RemoteError, match=r"pip install 'ltvl-mm\[cloud\]'"):
        as_path('s3://b/x').exists()


def test_an_error_of_a_worker_is_one_sentence():
    try:
        raise RemoteError('s3://b/x cannot be read: a reason')
    except RemoteError:
        wrapped = ExceptionWrapper(where='in DataLoader worker process 0')
    with pytest.raises(RemoteError, match=r'^s3://b/x cannot .*: a reason$'):
        wrapped.reraise()


def test_a_mistake_of_ours_is_not_tried_again(monkeypatch):
    calls = []

    def fail(system):
        calls.append(system)
        raise TypeError('a bug')

    with pytest.raises(TypeError, match='a bug'):
        remote_calls.call_remote('memory://x', 'read', fail)
    assert len(calls) == 1


def test_the_memory_file_system_needs_no_server():
    write_json('memory://x/a.json', {'a': 1})
    assert read_json('memory://x/a.json') == {'a': 1}
    assert as_path('memory://x').is_dir()
    with pytest.raises(ValueError, match='memory://x/b does not exist'):
        read_json('memory://x/b')
    assert not issubclass(RemoteError, OSError)

"""The table of docs/object_stores.md holds the messages that are printed."""

import re

import pytest
from object_store import bucket, server
from small_inputs import ROOT

from ltvl_mm.utils import remote_calls
from ltvl_mm.utils.io import write_json
from ltvl_mm.utils.regular_files import open_regular, read_regular
from ltvl_mm.utils.remote_errors import RemoteError
from ltvl_mm.utils.remote_paths import as_path

__all__ = ['bucket', 'server']

PAGE = (ROOT / 'docs/object_stores.md').read_text()
TABLE = dict(re.findall(r'^\| ([^|`]+?) \| `(.+)` \|$', PAGE, re.M))


@pytest.fixture
def url(server, bucket, monkeypatch):
    monkeypatch.setattr(remote_calls, 'TRIES', 2)
    return server.put(f'{bucket}/0.tar', bytes(1000))


def test_the_table_names_all_faults():
    assert list(TABLE) == [
        '500',
        'truncation',
        'timeout',
        'vanished bucket',
        'vanished object',
        '500 at an upload',
    ]


@pytest.mark.parametrize(
    ('row', 'kind'),
    [('500', 'status'), ('truncation', 'truncate'), ('timeout', 'slow')],
)
def test_a_lasting_fault_gives_its_message(server, url, row, kind):
    with server.fail(kind), pytest.raises(RemoteError) as error:
        read_regular(url)
    assert str(error.value).startswith(f'{url} {TABLE[row]} (2 tries in ')
    assert str(error.value).endswith('then start the same command again')


def test_what_vanishes_gives_its_message(server, url):
    with open_regular(url) as file:
        as_path(url).unlink()
        with pytest.raises(RemoteError) as error:
            file.read()
    assert str(error.value) == f'{url} {TABLE["vanished object"]}'
    server.remove_bucket('web')
    with pytest.raises(RemoteError) as error:
        read_regular(url)
    assert str(error.value) == f'{url} {TABLE["vanished bucket"]}'


def test_an_upload_that_fails_gives_its_message(server, url):
    with (
        server.fail('status', methods=('PUT',)),
        pytest.raises(RemoteError) as error,
    ):
        write_json(url, 1)
    assert str(error.value).startswith(f'{url} {TABLE["500 at an upload"]}')

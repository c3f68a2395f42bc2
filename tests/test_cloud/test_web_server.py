"""Tars on a plain web server, which may or may not support ranges."""

import functools
import threading
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from test_remote_embedding import read_store, write_tars
from test_retrieval.web_memory import embed

from ltvl_mm.retrieval.reading.shards import find_shards
from ltvl_mm.utils import remote_calls
from ltvl_mm.utils.regular_files import read_part_of_file
from ltvl_mm.utils.remote_errors import RemoteError
from ltvl_mm.utils.remote_paths import as_path, is_remote

pytest.importorskip('aiohttp', reason='needs the extra cloud')


class _RangeHandler(SimpleHTTPRequestHandler):
    """Serves a folder; answers ranges where ``ranges`` is true."""

    ranges = True

    def do_GET(self):
        asked = self.headers.get('Range')
        file = Path(self.translate_path(self.path))
        if asked is None or not self.ranges or not file.exists():
            super().do_GET()
            return
        data = file.read_bytes()
        first, last = asked.removeprefix('bytes=').split('-')
        stop = min(int(last or len(data)) + 1, len(data))
        body = data[int(first) : stop]
        self.send_response(206)
        self.send_header('Content-Length', str(len(body)))
        self.send_header(
            'Content-Range', f'bytes {first}-{stop - 1}/{len(data)}'
        )
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        pass


@pytest.fixture
def folder(tmp_path):
    write_tars(tmp_path / 'web')
    return tmp_path / 'web'


@pytest.fixture
def web(folder, monkeypatch):
    monkeypatch.setattr(remote_calls, 'TRIES', 2)
    monkeypatch.setattr(remote_calls, 'FIRST_WAIT', 0.01)
    handler = functools.partial(_RangeHandler, directory=str(folder))
    server = ThreadingHTTPServer(('127.0.0.1', 0), handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f'http://127.0.0.1:{server.server_port}'
    server.shutdown()
    server.server_close()


def test_tars_of_a_web_server_are_embedded_as_local_ones(
    web, folder, tmp_path
):
    local = embed(find_shards([str(folder)]), tmp_path / 'local')
    shards = find_shards([f'{web}/{{00000..00002}}.tar'])
    remote = embed(shards, tmp_path / 'remote')
    assert read_store(remote) == read_store(local)


def test_ranges_of_a_web_server_are_read_alone(web, folder):
    data = (folder / '00001.tar').read_bytes()
    assert read_part_of_file(f'{web}/00001.tar', 700, 90) == data[700:790]


def test_a_web_server_without_ranges_is_named(web, monkeypatch):
    monkeypatch.setattr(_RangeHandler, 'ranges', False)
    with pytest.raises(RemoteError, match=r'00001\.tar cannot be read'):
        read_part_of_file(f'{web}/00001.tar', 700, 90)


def test_a_missing_file_of_a_web_server_is_named(web):
    with pytest.raises(FileNotFoundError, match='No such object'):
        read_part_of_file(f'{web}/9.tar', 0, 9)


@pytest.mark.parametrize(
    'address',
    ['hf://datasets/pixparse/cc3m-wds/0.tar', 'gs://bucket/web/0.tar'],
)
def test_addresses_of_hubs_are_remote_paths(address):
    assert is_remote(address)
    assert str(as_path(address)) == address
    assert str(as_path(address).parent / '1.tar').endswith('/1.tar')

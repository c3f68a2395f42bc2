"""An S3 server on 127.0.0.1 (moto) whose answers can be made faulty."""

import contextlib
import functools
import threading
import time

import pytest

pytest.importorskip('moto', reason='needs the packages of .ci/run: moto')
pytest.importorskip('s3fs', reason='needs the extra cloud')

import boto3
import fsspec
from moto.moto_server.werkzeug_app import (
    DomainDispatcherApplication,
    MotoRequestHandler,
    create_backend_app,
)
from werkzeug.serving import make_server

from ltvl_mm.utils import remote_calls

KEY, SECRET = 'AKIATESTONLY', 'secret/test+only'


class ObjectStore:
    """The server and its faults.

    Attributes:
        requests: (method, path, range or '') of each request.
    """

    def __init__(self):
        self.requests = []
        self.faults = []
        app = DomainDispatcherApplication(create_backend_app)

        def answer(environ, start_response):
            method, path = environ['REQUEST_METHOD'], environ['PATH_INFO']
            asked = environ.get('HTTP_RANGE', '')
            self.requests.append((method, path, asked))
            kind = self._find_fault(method, path)
            if kind == 'status':
                start_response('500 Internal Server Error', [])
                return [b'']
            if kind == 'slow':
                time.sleep(2)
            body = app(environ, start_response)
            if kind == 'truncate':
                whole = b''.join(body)
                return [whole[: len(whole) // 2]]
            return body

        self.server = make_server(
            '127.0.0.1', 0, answer, True, request_handler=_QuietHandler
        )
        threading.Thread(target=self.server.serve_forever, daemon=True).start()
        self.url = f'http://127.0.0.1:{self.server.server_port}'

    def _find_fault(self, method, path):
        for fault in self.faults:
            kind, methods, part, _ = fault
            if method in methods and part in path and fault[3] > 0:
                fault[3] -= 1
                return kind
        return None

    @contextlib.contextmanager
    def fail(self, kind, *, methods=('GET',), path='', times=10**9):
        """Answer some requests with a fault.

        Args:
            kind: ``'status'`` (500), ``'truncate'`` (half of the body) or
                ``'slow'`` (2 seconds later).
            methods: HTTP methods.
            path: Part of the path of the requests.
            times: Number of requests.
        """
        self.faults.append([kind, methods, path, times])
        try:
            yield
        finally:
            self.faults.clear()

    def client(self):
        return boto3.client(
            's3',
            endpoint_url=self.url,
            region_name='us-east-1',
            aws_access_key_id=KEY,
            aws_secret_access_key=SECRET,
        )

    def make_bucket(self, name):
        self.client().create_bucket(Bucket=name)
        return f's3://{name}'

    def remove_bucket(self, name):
        client = self.client()
        for entry in client.list_objects_v2(Bucket=name).get('Contents', []):
            client.delete_object(Bucket=name, Key=entry['Key'])
        client.delete_bucket(Bucket=name)

    def put(self, url, data):
        bucket, _, key = url.removeprefix('s3://').partition('/')
        self.client().put_object(Bucket=bucket, Key=key, Body=data)
        return url

    def upload(self, folder, url):
        """Copy all files of a local folder."""
        for file in sorted(folder.rglob('*')):
            if file.is_file():
                name = file.relative_to(folder).as_posix()
                self.put(f'{url}/{name}', file.read_bytes())

    def read_folder(self, url):
        """Return the bytes of all objects below an address, by name."""
        bucket, _, start = url.removeprefix('s3://').partition('/')
        client, start = self.client(), f'{start}/'
        pages = client.get_paginator('list_objects_v2').paginate(
            Bucket=bucket, Prefix=start
        )
        keys = [e['Key'] for page in pages for e in page.get('Contents', [])]
        return {
            key.removeprefix(start): client.get_object(Bucket=bucket, Key=key)[
                'Body'
            ].read()
            for key in keys
        }


class _QuietHandler(MotoRequestHandler):
    def log_request(self, *_):
        pass


@functools.cache
def start_server():
    """Return the server of this process; its thread ends with it."""
    return ObjectStore()


@pytest.fixture
def server(monkeypatch):
    """An empty server whose address and keys are in the environment."""
    running_server = start_server()
    for name, value in (
        ('AWS_ENDPOINT_URL', running_server.url),
        ('AWS_ACCESS_KEY_ID', KEY),
        ('AWS_SECRET_ACCESS_KEY', SECRET),
        ('AWS_DEFAULT_REGION', 'us-east-1'),
        # Newer checksums make the dev server chunk its answers.
        ('AWS_REQUEST_CHECKSUM_CALCULATION', 'when_required'),
        ('AWS_RESPONSE_CHECKSUM_VALIDATION', 'when_required'),
    ):
        monkeypatch.setenv(name, value)
    monkeypatch.setitem(
        fsspec.config.conf, 's3', {'config_kwargs': {'read_timeout': 1}}
    )
    monkeypatch.setattr(remote_calls, 'FIRST_WAIT', 0.001)
    running_server.requests.clear()
    yield running_server
    client = running_server.client()
    for bucket in client.list_buckets()['Buckets']:
        running_server.remove_bucket(bucket['Name'])


@pytest.fixture
def bucket(server):
    return server.make_bucket('web')

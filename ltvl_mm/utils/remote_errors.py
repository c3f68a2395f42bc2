"""Errors of remote objects, in words that tell object and cause."""

import asyncio

# Packages whose errors are about network and servers.
_NETWORK = {
    'aiobotocore',
    'aiohttp',
    'asyncio',
    'botocore',
    'fsspec',
    'gcsfs',
    'google',
    'httpx',
    'huggingface_hub',
    'requests',
    's3fs',
    'urllib3',
}
_CREDENTIALS = ('NoCredentials', 'PartialCredentials', 'DefaultCredentials')
_TRUNCATED = {'ClientPayloadError', 'IncompleteRead', 'IncompleteReadError'}
_REFUSED = 'the server refuses access; check the credentials of fsspec'


class RemoteError(RuntimeError):
    """A remote object that cannot be read or written.

    Not an OSError: a network that fails is not a broken file, which is listed
    and skipped.

    Args:
        message: Object, cause and remedy. The traceback of a data-loader
            worker, which torch puts before it, is left out.
    """

    def __init__(self, message: str) -> None:
        super().__init__(message.rpartition('RemoteError: ')[2].rstrip())


class ShortReadError(Exception):
    """Fewer bytes than the object has.

    Args:
        found: Number of bytes.
        expected: Number of bytes that were asked for.
    """

    def __init__(self, found: int, expected: int) -> None:
        super().__init__(found, expected)
        self.found = found
        self.expected = expected


def is_missing(error: BaseException) -> bool:
    """Return whether an error says that there is no such object."""
    if not isinstance(error, FileNotFoundError):
        return False
    # HTTP file systems raise it for any answer.
    status = _find_status(error)
    if status is not None:
        return status in (404, 410)
    return not any(_is_network(one) for one in _list_causes(error)[1:])


def is_temporary(error: BaseException) -> bool:
    """Return whether the same call may succeed later."""
    if isinstance(error, (RemoteError, PermissionError)):
        return False
    if isinstance(error, (ShortReadError, TimeoutError)):
        return True
    if _is_truncated(error):
        return True
    status = _find_status(error)
    if status is not None:
        return status >= 500 or status in (408, 425, 429)
    if any(name in type(error).__name__ for name in _CREDENTIALS):
        return False
    return isinstance(error, (OSError, EOFError)) or _is_network(error)


def describe_cause(error: BaseException) -> str | None:
    """Return why a request to an object store failed, in a few words.

    The message of the error is not repeated: it may hold a signed address.

    Args:
        error: Error of fsspec or of the library below it.

    Returns:
        None if the error has another cause than the server or the network.
    """
    causes = _list_causes(error)
    names = [type(one).__name__ for one in causes]
    if isinstance(error, ShortReadError):
        return (
            f'the answer was truncated: {error.found:,} of '
            f'{error.expected:,} bytes'
        )
    if _is_truncated(error):
        return 'the answer was truncated: the connection ended before its end'
    if isinstance(error, PermissionError):
        return _REFUSED
    if any(name.startswith(_CREDENTIALS) for name in names):
        return (
            'there are no credentials; fsspec reads them from environment '
            'variables or its configuration files'
        )
    status = _find_status(error)
    if status in (401, 403):
        return _REFUSED
    if status is not None:
        return f'the server answered with status {status}'
    if any(
        isinstance(one, (TimeoutError, asyncio.TimeoutError)) for one in causes
    ) or any('Timeout' in name for name in names):
        return 'the server did not answer in time'
    if any('Connect' in name for name in names):
        return 'the server cannot be reached, or ended the connection'
    if isinstance(error, OSError) or _is_network(error):
        return f'the file system reports {names[-1]}'
    return None


def _is_truncated(error: BaseException) -> bool:
    # aiohttp gives these the status 400, which no server has sent.
    return any(type(one).__name__ in _TRUNCATED for one in _list_causes(error))


def _find_status(error: BaseException) -> int | None:
    """Return the HTTP status that an error is about."""
    for one in _list_causes(error):
        answer = getattr(one, 'response', None)
        status = getattr(one, 'status', None) or getattr(one, 'code', None)
        if isinstance(answer, dict):
            fields = answer.get('ResponseMetadata', {})
            status = fields.get('HTTPStatusCode')
        elif answer is not None:
            status = getattr(answer, 'status_code', status)
        if isinstance(status, int) and 400 <= status < 600:
            return status
    return None


def _list_causes(error: BaseException) -> list[BaseException]:
    found: list[BaseException] = []
    one: BaseException | None = error
    while one is not None and one not in found:
        found.append(one)
        one = one.__cause__ or one.__context__
    return found


def _is_network(error: BaseException) -> bool:
    return any(
        kind.__module__.partition('.')[0] in _NETWORK
        for kind in type(error).__mro__
    )

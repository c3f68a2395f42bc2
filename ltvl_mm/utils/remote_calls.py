"""Calls of fsspec: file systems, retries and parallel requests.

Every call is tried again with growing waits where the network or the server
is at fault; the last error names object and cause, and no credentials: the
text of fsspec's own errors, which may hold signed addresses, is not repeated.
"""

import os
import time
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from functools import cache
from typing import Any, TypeVar

from ltvl_mm.utils.remote_errors import (
    RemoteError,
    describe_cause,
    is_missing,
    is_temporary,
)

# Tries of a call, and seconds before the second one; each further wait is
# twice as long: 31 seconds in all.
TRIES = 7
FIRST_WAIT = 0.5
# Requests of a process that run at the same time.
PARALLEL = 8


_EXTRA = "pip install 'ltvl-mm[cloud]'"
_A = TypeVar('_A')
_T = TypeVar('_T')


def check_scheme(scheme: str) -> None:
    """Refuse an address that fsspec does not know.

    Raises:
        ValueError: If the scheme is unknown.
    """
    import fsspec

    if scheme not in fsspec.available_protocols():
        raise ValueError(
            f'{scheme}:// is unknown to fsspec; expected s3://, gs://, '
            f'hf://, https:// or a local path'
        )


def call_remote(url: str, verb: str, function: Callable[[Any], _T]) -> _T:
    """Return ``function(file system)``; try again where it may help.

    Raises:
        FileNotFoundError: If the object does not exist, but its bucket does.
        RemoteError: If all tries fail; names object, cause and tries.
    """
    begin = time.monotonic()
    for turn in range(1, TRIES + 1):
        try:
            return function(_open_system(url))
        # Each file system raises errors of its own.
        except Exception as error:
            if is_missing(error):
                _check_bucket(url, verb)
                raise FileNotFoundError(2, 'No such object', url) from None
            cause = describe_cause(error)
            if cause is None:  # RemoteError, or a mistake of ours
                raise
            text = f'{url} cannot be {verb}: {cause}'
            if not is_temporary(error):
                raise RemoteError(text) from None
            if turn == TRIES:
                seconds = time.monotonic() - begin
                raise RemoteError(
                    f'{text} ({turn} tries in {seconds:.0f} seconds). Check '
                    f'the server, then start the same command again'
                ) from None
        # Processes that failed together do not try again together.
        spread = 1 + os.getpid() % 8 / 16
        time.sleep(FIRST_WAIT * 2 ** (turn - 1) * spread)
    raise AssertionError('a call has at least one try')


def run_in_parallel(
    function: Callable[[_A], _T], items: Sequence[_A]
) -> list[_T]:
    """Return ``function(item)`` of each item, PARALLEL at a time.

    Args:
        function: Function that calls no :func:`submit` and reads through no
            open file, whose requests would wait for it.
        items: Its arguments.
    """
    return list(_make_pool(os.getpid()).map(function, items))


def map_ahead(
    function: Callable[[_A], _T], items: Iterable[_A]
) -> Iterator[_T]:
    """Yield ``function(item)`` in order; PARALLEL results are made ahead.

    Args:
        function: Function that calls no :func:`submit`, see above.
        items: Its arguments.
    """
    pending: deque[Future[_T]] = deque()
    for item in items:
        pending.append(submit(function, item))
        if len(pending) > PARALLEL:
            yield pending.popleft().result()
    while pending:
        yield pending.popleft().result()


def submit(function: Callable[..., _T], *args: object) -> 'Future[_T]':
    """Run a function in the threads that read remote objects."""
    return _make_pool(os.getpid()).submit(function, *args)


def _check_bucket(url: str, verb: str) -> None:
    """Raise RemoteError if not only an object is missing, but its bucket."""
    scheme, _, rest = url.partition('://')
    if scheme not in ('s3', 's3a', 'gs', 'gcs'):
        return
    bucket = f'{scheme}://{rest.partition("/")[0]}'
    try:
        _open_system(url).info(bucket)
    except FileNotFoundError:
        raise RemoteError(
            f'{url} cannot be {verb}: the bucket {bucket} does not exist, or '
            f'no longer'
        ) from None
    except Exception:  # noqa: BLE001
        return  # may not list buckets


def _open_system(url: str) -> Any:  # noqa: ANN401
    """Return fsspec's file system of an address; fsspec caches it."""
    import fsspec

    scheme = url.partition('://')[0]
    try:
        fsspec.get_filesystem_class(scheme)
    except ImportError as error:
        raise RemoteError(
            f'{url} cannot be opened: {scheme}:// needs a package that is '
            f'not installed ({error}); install it: {_EXTRA}'
        ) from None
    options: dict[str, Any] = {}
    if scheme in ('s3', 's3a'):
        # The tries are counted here. Options of the user come first.
        given = fsspec.config.conf.get('s3', {}).get('config_kwargs', {})
        once = {'retries': {'mode': 'standard', 'total_max_attempts': 1}}
        options = {'config_kwargs': {**once, **given}}
    if scheme not in ('http', 'https', 'memory'):
        # Other processes write to the same folders.
        options['use_listings_cache'] = False
    system = fsspec.filesystem(scheme, **options)
    if scheme in ('s3', 's3a'):
        system.retries = 1
    return system


@cache
def _make_pool(pid: int) -> ThreadPoolExecutor:
    """Return the threads of a process; a fork has none of its parent's."""
    return ThreadPoolExecutor(PARALLEL, thread_name_prefix='remote')

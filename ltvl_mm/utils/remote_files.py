"""Remote objects through fsspec: ranges, listings, uploads and copies."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ltvl_mm.utils.remote_calls import call_remote
from ltvl_mm.utils.remote_errors import RemoteError, ShortReadError


@dataclass(frozen=True)
class RemoteInfo:
    """Kind, size and version of an object or folder.

    Args:
        is_folder: True if other objects lie in it.
        size: Number of bytes; 0 for a folder.
        version: Text that changes when the object does; '' if the server
            gives none.
    """

    is_folder: bool
    size: int
    version: str


def find_info(url: str) -> RemoteInfo | None:
    """Return what the server says about an object; None if it is missing.

    Raises:
        RemoteError: If the server or its bucket cannot be reached.
    """
    try:
        found = call_remote(url, 'read', lambda system: system.info(url))
    except FileNotFoundError:
        return None
    version = next(
        (
            str(found[name])
            for name in ('ETag', 'etag', 'generation', 'md5Hash', 'blob_id')
            if found.get(name)
        ),
        '',
    )
    is_folder = found['type'] == 'directory'
    if found.get('size') is None and not is_folder:
        raise RemoteError(
            f'{url} cannot be read: the server does not tell its size'
        )
    return RemoteInfo(is_folder, int(found.get('size') or 0), version)


def read_range(
    url: str, start: int, stop: int, *, may_end: bool = False
) -> bytes:
    """Return the bytes ``start`` to ``stop`` (exclusive) of an object.

    Args:
        url: Address of the object.
        start: First byte.
        stop: End byte, exclusive.
        may_end: Return fewer bytes if the object ends before ``stop``.
            Default False: fewer bytes are a truncated answer.

    Raises:
        FileNotFoundError: If the object does not exist.
        RemoteError: If they cannot be read.
    """
    if stop <= start:
        return b''

    def read(system: Any) -> bytes:  # noqa: ANN401
        data = system.cat_file(url, start=start, end=stop)
        if len(data) < stop - start:
            end = system.info(url)['size'] if may_end else stop
            if start + len(data) < min(stop, end):
                raise ShortReadError(len(data), min(stop, end) - start)
        if len(data) > stop - start:
            raise RemoteError(
                f'{url} cannot be read: the server sent {len(data):,} bytes '
                f'where {stop - start:,} were asked for; it does not support '
                f'range requests'
            )
        return data

    return call_remote(url, 'read', read)


def read_object(url: str, *, max_bytes: int | None = None) -> bytes:
    """Return the content of an object, or its first ``max_bytes``.

    Raises:
        FileNotFoundError: If it does not exist or is a folder.
        RemoteError: If it cannot be read.
    """
    size = measure_object(url)
    return read_range(
        url, 0, size if max_bytes is None else min(size, max_bytes)
    )


def measure_object(url: str) -> int:
    """Return the number of bytes of an object.

    Raises:
        FileNotFoundError: If it does not exist or is a folder.
        RemoteError: If the server cannot be reached.
    """
    found = find_info(url)
    if found is None or found.is_folder:
        raise FileNotFoundError(2, 'No such object', url)
    return found.size


def upload_file(file: Path, url: str) -> None:
    """Copy a local file to an object, which appears whole or not at all.

    Raises:
        RemoteError: If it cannot be written.
    """
    size = file.stat().st_size

    def write(system: Any) -> None:  # noqa: ANN401
        system.put_file(str(file), url)
        found = system.info(url)['size']
        if found != size:
            raise ShortReadError(found, size)

    try:
        call_remote(url, 'written', write)
    except FileNotFoundError:
        raise RemoteError(
            f'{url} cannot be written: its bucket does not exist'
        ) from None


def copy_object(source: str, target: str) -> None:
    """Copy an object on the server."""
    call_remote(
        source, 'copied', lambda system: system.cp_file(source, target)
    )


def delete_object(url: str, *, missing_ok: bool) -> None:
    """Delete an object.

    Raises:
        FileNotFoundError: If it does not exist and ``missing_ok`` is False.
    """
    if find_info(url) is None:
        if missing_ok:
            return
        raise FileNotFoundError(2, 'No such object', url)
    call_remote(url, 'deleted', lambda system: system.rm_file(url))


def delete_folder(url: str) -> None:
    """Delete all objects of a folder, if there are any."""
    for name in list_objects(url):
        delete_object(f'{url}/{name}', missing_ok=True)


def list_objects(url: str) -> list[str]:
    """Return the names of all objects in a folder, relative to it, sorted."""
    try:
        found = call_remote(url, 'listed', lambda system: system.find(url))
    except FileNotFoundError:
        return []
    start = url.rstrip('/') + '/'
    names = [_add_scheme(name, url) for name in found]
    return sorted(
        name.removeprefix(start)
        for name in names
        if name.startswith(start) and not name.endswith('/')
    )


def expand_remote(pattern: str) -> list[str]:
    """Return the addresses of the objects that match a pattern, sorted."""
    found = call_remote(pattern, 'listed', lambda system: system.glob(pattern))
    return sorted(_add_scheme(name, pattern) for name in found)


def _add_scheme(name: str, url: str) -> str:
    """Return a name that fsspec gave as an address, like that of ``url``."""
    return name if '://' in name else f'{url.partition("://")[0]}://{name}'

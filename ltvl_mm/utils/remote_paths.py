"""Paths of remote objects: ``s3://``, ``gs://``, ``hf://``, ``https://``.

universal_pathlib is not used: it joins ``..``, absolute names and addresses to
a folder instead of refusing them, and its errors name neither the object nor
the bucket (``OSError(121, 'Internal Server Error')``).

:class:`RemotePath` has the methods of :class:`pathlib.Path` that the package
uses, so that most code does not depend on where a file lies.
"""

import os
import re
from collections.abc import Iterator
from pathlib import Path, PurePath, PurePosixPath
from typing import cast

from ltvl_mm.utils import remote_calls, remote_files

_SCHEME = re.compile(
    r'(?P<scheme>[A-Za-z][A-Za-z0-9+.-]+)://(?P<rest>.*)', re.S
)
# What pathlib makes of an address: it drops one of two slashes.
_BROKEN = re.compile(r'(s3|s3a|gs|gcs|hf|https?|memory):/[^/]')
# Characters with which a name from data could reach another address.
_QUOTED = re.compile(r'[%?#\\]')


class RemotePath(PurePosixPath):
    """Address of a remote object or folder, e.g. ``s3://bucket/web/0.tar``.

    Made by :func:`as_path`, which annotations call a ``Path``: it has the
    methods of one that the package uses, and does not open local files. A
    folder is a common start of names; it exists if
    an object lies in it. Nothing is kept in memory: each call asks the server.

    Raises:
        ValueError: If a joined name leaves the folder.
    """

    def __str__(self) -> str:
        text = super().__str__()
        head, colon, rest = text.partition(':/')
        return f'{head}://{rest}' if colon and '/' not in head else text

    def __fspath__(self) -> str:
        # open() and os.path would take the address for a local path.
        raise TypeError(f'{self} is not a local path')

    def __truediv__(self, name: str | os.PathLike[str]) -> 'RemotePath':
        return self.joinpath(name)

    def joinpath(self, *other: str | os.PathLike[str]) -> 'RemotePath':
        """Return a path inside this folder.

        Raises:
            ValueError: If a name is absolute, is an address, or holds ``..``.
        """
        found = self
        for name in other:
            text = str(name)
            outside = (
                text.startswith('/')
                or '://' in text
                or '..' in PurePosixPath(text).parts
                or '\0' in text
            )
            # Servers decode %2e%2e and cut at ? and #.
            if self.is_web and _QUOTED.search(text):
                outside = True
            if outside:
                raise ValueError(f'{text!r:.200} leaves the folder {self}')
            found = type(self)(*found.parts, *PurePosixPath(text).parts)
        return found

    @property
    def scheme(self) -> str:
        """Scheme of the address, e.g. ``s3``."""
        return self.parts[0].rstrip(':')

    @property
    def is_web(self) -> bool:
        """True for ``http`` and ``https``, whose folders have no listing."""
        return self.scheme in ('http', 'https')

    def is_absolute(self) -> bool:
        """Return True: an address does not depend on the current folder."""
        return True

    def absolute(self) -> 'RemotePath':
        """Return the path itself."""
        return self

    def resolve(self, strict: bool = False) -> 'RemotePath':
        """Return the path itself: object stores have no links."""
        return self

    def is_symlink(self) -> bool:
        """Return False: object stores have no links."""
        return False

    def is_file(self) -> bool:
        """Return whether there is an object of this name."""
        found = remote_files.find_info(str(self))
        return found is not None and not found.is_folder

    def is_dir(self) -> bool:
        """Return whether objects lie in this folder."""
        found = remote_files.find_info(str(self))
        return found is not None and found.is_folder

    def exists(self) -> bool:
        """Return whether there is such an object or folder."""
        return remote_files.find_info(str(self)) is not None

    def glob(self, pattern: str) -> Iterator['RemotePath']:
        """Yield the objects of this folder that match, sorted by name."""
        for name in remote_files.expand_remote(f'{self}/{pattern}'):
            yield type(self)(name)

    def mkdir(
        self, mode: int = 0o777, parents: bool = False, exist_ok: bool = False
    ) -> None:
        """Do nothing: folders exist as soon as an object lies in them."""

    def unlink(self, missing_ok: bool = False) -> None:
        """Delete the object.

        Raises:
            FileNotFoundError: If it does not exist and ``missing_ok`` is
                False.
        """
        remote_files.delete_object(str(self), missing_ok=missing_ok)

    def replace(self, target: 'RemotePath') -> 'RemotePath':
        """Copy the object to another name, then delete it.

        A kill between both leaves two equal objects.
        """
        if target != self:
            remote_files.copy_object(str(self), str(target))
            self.unlink(missing_ok=True)
        return target

    def read_bytes(self) -> bytes:
        """Return the content of the object."""
        return remote_files.read_object(str(self))


def is_remote(path: object) -> bool:
    """Return whether a path or text is the address of a remote object."""
    if isinstance(path, RemotePath):
        return True
    # Most paths are local, and a regular expression takes longer.
    if not isinstance(path, str) or '://' not in path:
        return False
    found = _SCHEME.fullmatch(path)
    return found is not None and found['scheme'].lower() != 'file'


def as_path(path: str | PurePath) -> Path:
    """Return a local path, or the address of a remote object.

    Args:
        path: Local path, ``file://`` address or remote address without query,
            fragment and user name.

    Raises:
        ValueError: If an address could hold a secret, has ``..`` or empty
            parts, or is of an unknown kind.
    """
    if isinstance(path, RemotePath):
        return cast(Path, path)
    text = str(path)
    if isinstance(path, PurePath):
        if _BROKEN.match(text):
            raise ValueError(
                f'{text} was made by pathlib, which takes a slash out of '
                f'addresses; give the address as text'
            )
        return Path(path)
    found = _SCHEME.fullmatch(text) if '://' in text else None
    if found is None:
        return Path(text)
    scheme, rest = found['scheme'].lower(), found['rest']
    if scheme == 'file':
        return Path(rest)
    _check_address(scheme, rest)
    remote_calls.check_scheme(scheme)
    return cast(Path, RemotePath(f'{scheme}:', *rest.split('/')))


def shorten_address(address: str, root: str | PurePath | None) -> str:
    """Return the part of an address below a remote folder of images.

    Without a folder, the address itself.

    Raises:
        ValueError: If it does not lie below the folder.
    """
    if root is None:
        return address
    start = f'{as_path(root)}/'
    if not is_remote(root) or not address.startswith(start):
        raise ValueError(
            f'{address!r:.200} is an address outside the image root '
            f'{root}; give the remote folder of all images as root, such as '
            f'--root {address.rpartition("/")[0]}'
        )
    return address.removeprefix(start)


def _check_address(scheme: str, rest: str) -> None:
    """Refuse what could hold a secret or lead to another object."""
    server, _, name = rest.partition('/')
    web = scheme in ('http', 'https')
    if '@' in server or (web and re.search('[?#]', rest)):
        shown = re.split('[?#]', rest.rpartition('@')[2])[0]
        raise ValueError(
            f'the address {scheme}://{shown} was given with a user name or a '
            f'query, which may be a secret and would be written into stores '
            f'and logs. Leave it out, and give credentials to fsspec by '
            f'environment variables or its configuration files'
        )
    parts = name.rstrip('/').split('/') if name.rstrip('/') else []
    if (
        not server
        or '::' in scheme
        or any(p in ('', '.', '..') for p in parts)
    ):
        raise ValueError(
            f'{scheme}://{rest!s:.200} is not an address of an object: '
            f'expected {scheme}://{"server" if web else "bucket"}/name '
            f'without empty, . and .. parts'
        )

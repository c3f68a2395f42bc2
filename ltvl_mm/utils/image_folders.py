"""Find image files in folders, and count the files that are left out.

All parts of the package list folders with these functions, so that they agree
on what an image file is and on which entries are hidden.
"""

import os
from collections import Counter
from collections.abc import Collection
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath

from ltvl_mm.utils.image_decoding import list_image_suffixes
from ltvl_mm.utils.remote_files import list_objects
from ltvl_mm.utils.remote_paths import as_path, is_remote

# Made by operating systems, file servers and notebooks; names in lower case.
_SYSTEM_NAMES = frozenset(
    (
        '@eadir',
        '#recycle',
        '$recycle.bin',
        '__macosx',
        'desktop.ini',
        'lost+found',
        'system volume information',
        'thumbs.db',
    )
)
# The first names of each reason are kept for messages.
_NAMES_SHOWN = 3


def is_hidden(name: str) -> bool:
    """Return True for names with a leading dot, and for system files.

    Args:
        name: One name, such as ``._a.jpg`` or ``@eaDir``; not a path. ``.``
            and ``..`` are not hidden.
    """
    if name in ('.', '..'):
        return False
    return name.startswith('.') or name.lower() in _SYSTEM_NAMES


def is_hidden_path(path: str) -> bool:
    """Return True if a part of a relative ``/`` path is hidden."""
    return any(is_hidden(part) for part in path.split('/') if part)


def get_suffix(name: str) -> str:
    """Return the last suffix in lower case, without the dot."""
    return PurePosixPath(name).suffix.lower().lstrip('.')


@dataclass
class LeftOut:
    """Count of files that are left out, and the first names, per reason."""

    counts: Counter[str] = field(default_factory=Counter)
    names: dict[str, list[str]] = field(default_factory=dict)

    def add(self, reason: str, name: str, *, count: int = 1) -> None:
        """Count one more name under a reason, a plural noun phrase."""
        self.counts[reason] += count
        shown = self.names.setdefault(reason, [])
        if len(shown) < _NAMES_SHOWN:
            shown.append(ascii(name)[1:-1] if _is_odd(name) else name)

    def update(self, other: 'LeftOut') -> None:
        """Add the counts and names of another object."""
        for reason, count in other.counts.items():
            first, *more = other.names[reason]
            self.add(reason, first, count=count - len(more))
            for name in more:
                self.add(reason, name)

    def within(self, folder: str) -> 'LeftOut':
        """Return the same with ``folder/`` before each name."""
        names = {
            reason: [f'{folder}/{name}' for name in shown]
            for reason, shown in self.names.items()
        }
        return LeftOut(self.counts.copy(), names)

    def __bool__(self) -> bool:
        return bool(self.counts)

    def __str__(self) -> str:
        """Return e.g. ``hidden entries: 2 (.DS_Store, ._a.jpg)``."""
        texts = []
        for reason, count in sorted(self.counts.items()):
            shown = ', '.join(self.names[reason])
            more = ', ...' if count > len(self.names[reason]) else ''
            texts.append(f'{reason}: {count:,} ({shown}{more})')
        return '; '.join(texts)


@dataclass(frozen=True)
class FolderListing:
    """The visible regular files of a folder.

    Args:
        files: Paths relative to the folder, with ``/``, sorted.
        left_out: Hidden entries, links, pipes and unreadable folders.
    """

    files: tuple[str, ...]
    left_out: LeftOut


def list_files(
    folder: str | Path,
    *,
    recursive: bool = True,
    follow_links: bool = False,
    linked_suffixes: Collection[str] = (),
) -> FolderListing:
    """List the visible regular files of a folder.

    Args:
        folder: The folder, local or remote; its own name may be hidden.
        recursive: True (default) to include subfolders.
        follow_links: True to follow all symbolic links, except to a folder
            that contains the link. False (default) follows only links to
            files in ``folder``.
        linked_suffixes: Suffixes of files that links may lead to anywhere.
    """
    if is_remote(folder):
        return _list_remote(str(as_path(folder)), recursive=recursive)
    top = Path(folder).resolve()
    files, left_out = [], LeftOut()
    # A folder, and the real paths of the folders that led to it.
    stack = [('', frozenset([str(top)]))]
    while stack:
        inner, parents = stack.pop()
        try:
            entries = list(os.scandir(os.path.join(folder, inner)))
        except OSError as error:
            if not inner:
                raise
            left_out.add(f'folders not readable ({error.strerror})', inner)
            continue
        for entry in sorted(entries, key=lambda entry: entry.name):
            path = f'{inner}/{entry.name}' if inner else entry.name
            follow = follow_links or get_suffix(path) in linked_suffixes
            reason = _check_entry(entry, top, follow, parents)
            if reason:
                left_out.add(reason, path)
            elif not entry.is_dir():
                files.append(path)
            elif recursive:
                stack.append((path, parents | {os.path.realpath(entry.path)}))
            else:
                left_out.add('folders inside', path)
    return FolderListing(tuple(sorted(files)), left_out)


def find_images(
    folder: str | Path,
    *,
    recursive: bool = True,
    follow_links: bool = False,
    companions: Collection[str] = ('txt', 'json'),
) -> FolderListing:
    """List the image files of a folder; files of other types are left out.

    Args:
        folder: Folder to search; its own name may be hidden.
        recursive: True (default) to include subfolders.
        follow_links: True to follow all symbolic links, except to a folder
            that contains the link. False (default) follows only links to
            files in ``folder``.
        companions: Suffixes of files that accompany images, such as
            captions; they are not counted as left out.
    """
    listing = list_files(
        folder, recursive=recursive, follow_links=follow_links
    )
    images = []
    for path in listing.files:
        suffix = get_suffix(path)
        if suffix in list_image_suffixes():
            images.append(path)
        elif suffix not in companions:
            listing.left_out.add('files of other types', path)
    return FolderListing(tuple(images), listing.left_out)


def _list_remote(url: str, *, recursive: bool) -> FolderListing:
    files, left_out, inner = [], LeftOut(), set()
    for name in list_objects(url):
        folder, *more = name.split('/')
        if is_hidden_path(name):
            left_out.add('hidden entries', name)
        elif any(part in ('', '.', '..') for part in name.split('/')):
            left_out.add('names that are not paths', name)
        elif more and not recursive:
            inner.add(folder)
        else:
            files.append(name)
    for name in sorted(inner):
        left_out.add('folders inside', name)
    return FolderListing(tuple(files), left_out)


def _check_entry(
    entry: os.DirEntry,
    top: Path,
    follow_links: bool,
    parents: frozenset[str],
) -> str | None:
    """Return why an entry is left out, or None."""
    if is_hidden(entry.name):
        return 'hidden entries'
    try:
        is_folder, is_file = entry.is_dir(), entry.is_file()
    except OSError:  # a link to itself
        return 'broken links'
    if entry.is_symlink():
        if not (is_folder or is_file or os.path.exists(entry.path)):
            return 'broken links'
        target = os.path.realpath(entry.path)
        if not follow_links:
            if not Path(target).is_relative_to(top):
                return 'links to files outside'
            if is_folder:
                return 'links to folders'
        elif target in parents:
            return 'links to a folder that holds them'
    if not (is_folder or is_file):
        return 'pipes, sockets and devices'
    return None


def _is_odd(name: str) -> bool:
    """Return True if a name cannot be printed unescaped."""
    return not name.isprintable()

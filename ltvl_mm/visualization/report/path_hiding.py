"""Remove absolute paths of the maker's disk from texts of a page."""

import re
from collections.abc import Iterable

# In quotes a path may hold spaces: it ends with the quote.
_QUOTED = re.compile(r"""(?P<quote>['"])(?P<path>/[^'"\n]*)(?P=quote)""")
# Not '1/2', 'and/or', 'https://...', '</b>', '…/name' or './name'.
_POSIX = re.compile(r"""(?<![\w.…~/<])/(?!/)[^\s'"`,;:|<>()\[\]{}*]+""")
_WINDOWS = re.compile(r"""\b[A-Za-z]:[\\/][^\s'"`,;:|<>()\[\]{}*]+""")
_FILE_URL = re.compile(r'file://(?=/)')
# Parts of a path that are kept.
_KEPT = 2
_HOME = re.compile(r'/(?:root|(?:home|Users)/[^/]+)/?')
_HOME_FOLDER = re.compile(
    r'^(?:/root|(?:[A-Za-z]:)?[\\/]+(?:home|Users)[\\/]+[^\\/]+)(?=[\\/]|$)'
)


class PathHider:
    """Function that shortens absolute paths in a text.

    A path inside a working folder becomes relative to it, and another one
    keeps its last two parts: ``/data/x/lists/train.txt`` becomes
    ``…/lists/train.txt``. The folder of a user is never kept.

    Args:
        folders: Absolute paths of working folders, such as those in which
            commands were typed.
        paths: Other absolute paths that texts may hold, also with spaces.
    """

    def __init__(
        self, folders: Iterable[str] = (), paths: Iterable[str] = ()
    ) -> None:
        known = {path: '' for path in paths}
        known |= {folder: '.' for folder in folders}
        self._known = [
            (path.rstrip('/'), short)
            for path, short in sorted(known.items(), key=_rank)
            if path.startswith('/') and path.strip('/')
        ]

    def __call__(self, text: str) -> str:
        """Return the text without absolute paths."""
        if '/' not in text and '\\' not in text:
            return text
        for path, short in self._known:
            if path in text:
                text = _replace_known(text, path, short)
        text = _FILE_URL.sub('', text)
        text = _QUOTED.sub(_shorten_quoted, text)
        text = _POSIX.sub(lambda match: _shorten(match[0]), text)
        return _WINDOWS.sub(lambda match: _shorten(match[0]), text)


def _rank(entry: tuple[str, str]) -> int:
    return -len(entry[0])  # the innermost folder first


def _replace_known(text: str, path: str, short: str) -> str:
    """Replace a known path, and the folder part of paths below it."""
    exact = short or _shorten(path)
    below = '' if short else f'{exact}/'
    # '/data/a' is not a parent folder of '/data/ab'.
    pattern = rf'(?<![\w.…~/]){re.escape(path)}(?P<end>/+|(?![\w.-]))'

    def replace(match: re.Match) -> str:
        rest = text[match.end() : match.end() + 1]
        is_folder = match['end'] and rest and not rest.isspace()
        return below if is_folder else exact

    return re.sub(pattern, replace, text)


def _shorten_quoted(match: re.Match) -> str:
    return f'{match["quote"]}{_shorten(match["path"])}{match["quote"]}'


def _shorten(path: str) -> str:
    if _HOME.fullmatch(path):
        return '~'
    below = _HOME_FOLDER.sub('', path)
    parts = [part for part in re.split(r'[\\/]+', below) if part]
    return f'…/{"/".join(parts[-_KEPT:])}' if parts else path

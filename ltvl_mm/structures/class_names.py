"""Class names: one per line, in label order."""

from collections.abc import Sequence
from pathlib import Path

from ltvl_mm.utils.io import hash_content, write_if_new
from ltvl_mm.utils.text import is_comment, read_text, split_lines


def load_class_names(source: str | Path | Sequence[str]) -> tuple[str, ...]:
    """Return the names of a file (UTF-8, one per line) or of a list.

    Names may repeat ('missile' stands twice in ImageNet), so nothing may use
    one as a key. In a file, comments (``# text``) and blank lines at both
    ends are left out. A blank line between names is refused: it may be a
    lost name, and all later labels would shift.

    Raises:
        ValueError: If the file is missing or not UTF-8, or a name is empty.
    """
    if isinstance(source, (str, Path)):
        if not Path(source).exists():
            raise ValueError(f'the class-name file {source} does not exist')
        owner, numbered = str(source), _read_numbered(source)
    else:
        owner = 'class names'
        numbered = [(n, name.strip()) for n, name in enumerate(source, 1)]
    for number, name in numbered:
        if not name:
            raise ValueError(f'{owner}: line {number} has no class name')
    if not numbered:
        raise ValueError(f'{owner}: no class names')
    return tuple(name for _, name in numbered)


def write_class_names(path: str | Path, names: Sequence[str]) -> bool:
    """Write one name per line; return whether the file is new or changed.

    Raises:
        ValueError: If a name is empty, has a line break, or reads as a
            comment.
    """
    names = load_class_names(names)
    for name in names:
        if split_lines(name) != [name] or is_comment(name):
            raise ValueError(
                f'a list of names cannot hold {name!r:.120}: it has a line '
                f'break, or begins as a comment (# text)'
            )
    return write_if_new(path, ''.join(f'{name}\n' for name in names))


def hash_class_names(names: Sequence[str]) -> str:
    """Return a sha256 that tells two ordered class lists apart."""
    return hash_content(list(names))


def _read_numbered(path: str | Path) -> list[tuple[int, str]]:
    """Return (line number, name), without comments and outer blank lines."""
    lines = enumerate(split_lines(read_text(path)), 1)
    numbered = [(n, line.strip(' \t\ufeff')) for n, line in lines]
    numbered = [(n, name) for n, name in numbered if not is_comment(name)]
    while numbered and not numbered[-1][1]:
        numbered.pop()
    while numbered and not numbered[0][1]:
        numbered.pop(0)
    return numbered

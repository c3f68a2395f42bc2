"""Class names: one per line, in label order."""

import os
import re
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path

from ltvl_mm.utils.io import hash_content, write_if_new
from ltvl_mm.utils.remote_paths import as_path, is_remote
from ltvl_mm.utils.short_repr import describe_value
from ltvl_mm.utils.text import is_comment, read_text, split_lines

# Forms of a file that is not one plain name per line.
_BRACKETS = re.compile(r'(\w+ *= *)?(\[.*\]|\{.*\}|\(.*\))', re.DOTALL)
_QUOTED = re.compile(r'(["\']).*\1,?')
_SYNSET = re.compile(r'n[0-9]{8}[ ,:\t]+\S')
_NUMBERED = re.compile(r'([0-9]{1,7})[ .:,;)\t]+\S')


def load_class_names(source: str | Path | Sequence[str]) -> tuple[str, ...]:
    """Return the names of a file (UTF-8, one per line) or of a list.

    Names may repeat ('missile' stands twice in ImageNet), so nothing may use
    one as a key. In a file, comments (``# text``) and blank lines at both
    ends are left out. A blank line between names is refused: it may be a
    lost name, and all later labels would shift.

    Args:
        source: Path or remote address of the file, or the K names in label
            order.

    Raises:
        ValueError: If the file is missing or not UTF-8, a name is empty or
            not a string, there is no name, or the lines of the file are not
            plain names: JSON, quoted, numbered, with WordNet ids.
    """
    if not isinstance(source, (str, Path)):
        return _check_names(source)
    if not _exists(source):
        raise ValueError(
            f'the class-name file {source!s:.300} does not exist; give '
            f'the path of a file with one name per line, or a list of names'
        )
    numbered = _read_numbered(source)
    for number, name in numbered:
        if not name:
            raise ValueError(f'{source}: line {number} has no class name')
    if not numbered:
        raise ValueError(f'{source}: no class names')
    names = tuple(name for _, name in numbered)
    form = _find_other_form(names)
    if form is not None:
        raise ValueError(
            f'{source}: {form}, which would become part of the prompts. Write '
            f'one plain name per line, in label order; the first line is '
            f'{names[0]!r:.80}'
        )
    return names


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


def rename_classes(
    names: Sequence[str], before: Sequence[str], after: Sequence[str]
) -> tuple[str, ...]:
    """Apply the edits of an earlier class list to another class list.

    A name that stands several times is told by its occurrence: the second
    'crane' takes the edit of the second 'crane'.

    Args:
        names: K names.
        before: P names that were edited.
        after: P names, the edits in the same order.

    Returns:
        K names; those that are not in ``before`` are unchanged.
    """
    edits = dict(zip(_number_names(before), after, strict=True))
    return tuple(
        edits.get((name, number), name)
        for name, number in _number_names(names)
    )


def hash_class_names(names: Sequence[str]) -> str:
    """Return a sha256 that tells two ordered class lists apart."""
    return hash_content(list(names))


def _number_names(names: Sequence[str]) -> list[tuple[str, int]]:
    """Return each name and how often it stands before."""
    seen: Counter[str] = Counter()
    numbered = []
    for name in names:
        numbered.append((name, seen[name]))
        seen[name] += 1
    return numbered


def _exists(source: str | Path) -> bool:
    if is_remote(source):
        return as_path(source).exists()
    return os.path.exists(source)  # False for text too long for a path


def _find_other_form(names: Sequence[str]) -> str | None:
    """Return what lines look like if they are not plain names, else None.

    Args:
        names: K lines of a file.
    """
    text = ' '.join(names)
    if _BRACKETS.fullmatch(text):
        return 'this is JSON or Python'
    if len(names) < 2:
        return None
    if all(_QUOTED.fullmatch(name) for name in names):
        return 'each name has quotation marks'
    if all(name.startswith(('- ', '* ')) for name in names):
        return 'each line begins with a list mark'
    if all(_SYNSET.match(name) for name in names):
        return 'each line begins with a WordNet id'
    numbers = [_NUMBERED.match(name) for name in names]
    if all(numbers):
        found = [int(match[1]) for match in numbers if match]
        if found in (list(range(len(found))), list(range(1, len(found) + 1))):
            return 'the lines are numbered'
    return None


def _check_names(names: Sequence[str]) -> tuple[str, ...]:
    """Return the names of a list without outer spaces.

    Raises:
        ValueError: If it is not a list of strings, or a name is empty.
    """
    if isinstance(names, (bytes, Mapping, set)) or not hasattr(
        names, '__iter__'
    ):
        raise ValueError(
            f'class names must be a list of strings in label order, or the '
            f'path of a file with one name per line; got '
            f'{describe_value(names)}'
        )
    found = []
    for index, name in enumerate(names):
        if not isinstance(name, str):
            raise ValueError(
                f'class names must be strings, but the one at index {index} '
                f'is {describe_value(name)}; give the name of each class'
            )
        if not name.strip():
            raise ValueError(
                f'index {index} of the class names has no class name: it is '
                f'{name!r:.80}; give the name of each class'
            )
        found.append(name.strip())
    if not found:
        raise ValueError('there are no class names: the list is empty')
    return tuple(found)


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

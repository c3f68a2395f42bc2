"""Class names: one per line, in label order."""

from collections.abc import Sequence
from pathlib import Path

from ltvl_mm.utils.io import hash_content, write_if_new


def load_class_names(source: str | Path | Sequence[str]) -> tuple[str, ...]:
    """Return the names of a file (UTF-8, one per line) or of a list.

    Names may repeat ('missile' stands twice in ImageNet), so nothing may use
    one as a key.

    Raises:
        ValueError: If the file is missing, or a name is empty.
    """
    if isinstance(source, (str, Path)):
        path = Path(source)
        if not path.is_file():
            raise ValueError(f'the class-name file {path} does not exist')
        names = path.read_text(encoding='utf-8').splitlines()
    else:
        path, names = 'class names', list(source)
    for number, name in enumerate(names, 1):
        if not name.strip():
            raise ValueError(f'{path}: line {number} has no class name')
    if not names:
        raise ValueError(f'{path}: no class names')
    return tuple(name.strip() for name in names)


def write_class_names(path: str | Path, names: Sequence[str]) -> bool:
    """Write one name per line; return whether the file is new or changed."""
    names = load_class_names(names)
    return write_if_new(path, ''.join(f'{name}\n' for name in names))


def hash_class_names(names: Sequence[str]) -> str:
    """Return a sha256 that tells two ordered class lists apart."""
    return hash_content(list(names))

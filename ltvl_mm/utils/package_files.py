"""Tools, configs, projects and model index: in the clone or in the wheel."""

from difflib import get_close_matches
from pathlib import Path

_PACKAGE = Path(__file__).resolve().parents[1]


def find_root() -> Path:
    """Return the folder with ``tools/``, ``configs/`` and ``projects/``.

    That of the clone, or ``ltvl_mm/.mim`` of an installed wheel.

    Raises:
        ValueError: If the package was installed without them.
    """
    for folder in (_PACKAGE.parent, _PACKAGE / '.mim'):
        if (folder / 'tools/train.py').is_file():
            return folder
    raise ValueError(
        f'there are no tools and configs beside {_PACKAGE}: install the wheel '
        f'of ltvl_mm, or its clone with pip install -e'
    )


def find_config(name: str) -> Path:
    """Return the file of a config of this package.

    Args:
        name: Path below ``configs/``, e.g. ``'tackle_rx50.py'``.

    Raises:
        ValueError: If there is none; names similar ones.
    """
    root = find_root() / 'configs'
    file = root / name
    if not file.is_file():
        known = [
            path.relative_to(root).as_posix() for path in root.rglob('*.py')
        ]
        similar = ', '.join(get_close_matches(name, known))
        raise ValueError(
            f'there is no config {name} in {root}; '
            + (f'did you mean {similar}?' if similar else 'see that folder')
        )
    return file

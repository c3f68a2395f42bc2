"""Tools, configs, projects and model index: in the clone or in the wheel."""

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

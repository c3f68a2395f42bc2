"""Find the folders of trainings and tests."""

import os
from collections.abc import Iterator
from pathlib import Path

from ltvl_mm.visualization.report.run_folder import METRICS, PREDICTIONS


def find_runs(folder: Path) -> Iterator[Path]:
    """Yield the folders of trainings or tests in a folder, or itself.

    Folders that cannot be searched are yielded too, so that a report names
    them: see :func:`find_problem`.

    Raises:
        ValueError: If the folder does not exist.
    """
    if not folder.is_dir():
        raise ValueError(f'the folder {folder} does not exist')
    seen = set()
    stack = [folder]  # os.walk would recurse, and skip errors silently
    while stack:
        path = stack.pop()
        try:
            found = os.stat(path)
            is_run = _is_run(path)
            inner = _list_folders(path)
        except OSError:
            yield path
            continue
        if (found.st_dev, found.st_ino) in seen:
            continue  # a link to a folder above, or to one seen before
        seen.add((found.st_dev, found.st_ino))
        if is_run:
            yield path  # folders inside a run belong to it
        else:
            stack += [path / name for name in reversed(inner)]


def find_problem(folder: Path) -> str:
    """Return why a folder cannot be read; '' if it can."""
    try:
        _list_folders(folder)
        _is_run(folder)  # fails where paths would be too long
        # Fails without the right to search the folder.
        os.stat(os.path.join(folder, '.'))
    except OSError as error:
        return f'the folder cannot be read: {error.strerror}'
    return ''


def _is_run(folder: Path) -> bool:
    # A broken link is a broken run, not none.
    return any(
        os.path.lexists(folder / name) for name in (PREDICTIONS, METRICS)
    ) or any(folder.glob('*/vis_data/scalars.json'))


def _list_folders(folder: Path) -> list[str]:
    """Return the sorted names of the folders in a folder.

    Raises:
        OSError: If the folder cannot be listed.
    """
    with os.scandir(folder) as entries:
        return sorted(entry.name for entry in entries if _is_dir(entry))


def _is_dir(entry: os.DirEntry) -> bool:
    try:
        return entry.is_dir()
    except OSError:  # a loop of links
        return False

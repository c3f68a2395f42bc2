"""Files that are there whole or not at all, and their checksums."""

import hashlib
import json
import os
import shutil
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any

import numpy as np

from ltvl_mm.utils.npz_check import check_archive
from ltvl_mm.utils.regular_files import (
    check_replaceable,
    open_regular,
    read_regular,
)
from ltvl_mm.utils.remote_errors import RemoteError
from ltvl_mm.utils.remote_files import delete_folder, upload_file
from ltvl_mm.utils.remote_paths import as_path, is_remote
from ltvl_mm.utils.temporaries import (
    create_temporary,
    explain_write_errors,
    remove_temporaries,
)


@contextmanager
def atomic_write(path: str | Path, mode: str = 'wb') -> Iterator[IO]:
    """Open a file that appears under ``path`` only when it is complete.

    It is written in the same folder under a temporary name, flushed to the
    disk, then renamed. A kill at any moment leaves the old file or the new
    one. A remote object is written to a temporary file of this machine, then
    uploaded in one request or one multipart upload, which the server makes
    visible at its end.

    Args:
        path: Output file; its folder is created if it is missing. Or the
            address of a remote object.
        mode: ``'wb'`` or ``'w'`` (UTF-8, Unix line ends).

    Raises:
        OSError: If the disk is full, or the folder cannot be written to;
            names ``path``.
        RemoteError: If a remote object cannot be written.
        ValueError: If ``path`` is a folder, pipe, socket or device.
    """
    path = as_path(path)
    check_replaceable(path)
    encoding, newline = (None, None) if 'b' in mode else ('utf-8', '\n')
    if is_remote(path):
        with _upload_draft(str(path), mode, encoding, newline) as file:
            yield file
        return
    with explain_write_errors(path):
        path.parent.mkdir(parents=True, exist_ok=True)
        handle, temporary = create_temporary(path)
        try:
            with os.fdopen(
                handle, mode, encoding=encoding, newline=newline
            ) as file:
                yield file
                file.flush()
                os.fsync(file.fileno())
            # mkstemp makes files for the owner only; a data set is shared.
            os.chmod(temporary, 0o666 & ~_umask())
            os.replace(temporary, path)
        except BaseException:
            temporary.unlink(missing_ok=True)
            raise
        _sync_folder(path.parent)


@contextmanager
def _upload_draft(
    url: str, mode: str, encoding: str | None, newline: str | None
) -> Iterator[IO]:
    """Open a temporary file of this machine; upload it when it is whole."""
    with tempfile.TemporaryDirectory(prefix='ltvl_mm-') as folder:
        draft = Path(folder) / 'draft'
        title = (
            f'the temporary file of {url} in TMPDIR ({draft.parent.parent})'
        )
        with (
            explain_write_errors(draft, title=title),
            open(draft, mode, encoding=encoding, newline=newline) as file,
        ):
            yield file
        upload_file(draft, url)


def remove_folder(folder: str | Path) -> None:
    """Delete a folder with its content, if it exists."""
    if is_remote(folder):
        delete_folder(str(as_path(folder)))
    else:
        shutil.rmtree(folder, ignore_errors=True)


def write_if_new(path: str | Path, text: str) -> bool:
    """Write ``text`` atomically; return False if the file holds it already."""
    path = as_path(path)
    if path.is_file() and path.read_bytes() == text.encode():
        return False
    with atomic_write(path, 'w') as file:
        file.write(text)
    return True


def write_arrays(path: str | Path, **arrays: np.ndarray) -> None:
    """Write a ``.npz``, atomically and without pickle.

    Args:
        path: File to write.
        arrays: Arrays by name, as in :func:`numpy.savez`.
    """
    with atomic_write(path) as file:
        np.savez(file, **arrays)


def read_arrays(
    path: str | Path,
    names: Sequence[str],
    *,
    made_by: str,
    optional: Sequence[str] = (),
) -> dict[str, np.ndarray]:
    """Read arrays that :func:`write_arrays` wrote.

    Args:
        path: The ``.npz``.
        names: Names of the arrays to read.
        made_by: The command that writes such a file, for the message.
        optional: Names of arrays to read if they exist.

    Raises:
        ValueError: If it is missing or another file; names it.
    """
    try:
        with (
            open_regular(path) as file,
            np.load(check_archive(file), allow_pickle=False) as arrays,
        ):
            there = [name for name in optional if name in arrays]
            return {name: arrays[name] for name in (*names, *there)}
    except FileNotFoundError:
        raise ValueError(
            f'{path} does not exist; write it with {made_by}'
        ) from None
    except RemoteError:
        raise
    # Which error numpy or zipfile raises depends on where a file is broken.
    except Exception as error:
        raise ValueError(
            f'{path} does not hold {", ".join(names)}: {error!s:.300}'
        ) from error


def write_json(path: str | Path, content: Any) -> None:  # noqa: ANN401
    """Write ``content`` as indented JSON, atomically."""
    with atomic_write(path, 'w') as file:
        json.dump(content, file, indent=1, ensure_ascii=False)
        file.write('\n')


def read_json(path: str | Path) -> Any:  # noqa: ANN401
    """Read a JSON file.

    Raises:
        ValueError: If it is missing or not JSON; names the file.
    """
    try:
        # Editors on Windows begin a file with a byte order mark.
        return json.loads(read_regular(path).decode('utf-8-sig'))
    except FileNotFoundError:
        raise ValueError(f'{path} does not exist') from None
    except RecursionError:
        raise ValueError(
            f'{path} is not JSON: it is nested too deep'
        ) from None
    # A number of more than 4300 digits is a plain ValueError.
    except ValueError as error:
        raise ValueError(f'{path} is not JSON: {error}') from None


def check_or_write_settings(
    folder: str | Path, settings: dict[str, Any]
) -> None:
    """Begin an output folder, or go on with one begun in the same way.

    ``settings.json`` says with which settings a folder was begun, so that
    the parts that are there belong to those that are still to come.

    Args:
        folder: Is made when missing.
        settings: JSON-like; what the output depends on.

    Raises:
        ValueError: If the folder was begun with others; names what differs.
    """
    settings = check_claim(folder, settings)
    write_json(as_path(folder) / 'settings.json', settings)
    remove_temporaries(folder)


def check_claim(folder: str | Path, settings: dict[str, Any]) -> dict:
    """Return the settings as JSON keeps them, if a folder may have them.

    Raises:
        ValueError: As :func:`check_or_write_settings`; writes nothing.
    """
    file = as_path(folder) / 'settings.json'
    settings = json.loads(json.dumps(settings))  # as it will be read again
    before = read_json(file) if file.exists() else settings
    for name in settings:
        if before.get(name) != settings[name]:
            old, new = before.get(name), settings[name]
            if isinstance(old, dict) and isinstance(new, dict):
                old, new = _keep_differences(old, new)
            raise ValueError(
                f'{folder} was begun with another {name} '
                f'({old!r:.120}, now {new!r:.120}); '
                f'choose another folder or delete it'
            )
    return settings


def _keep_differences(first: dict, second: dict) -> tuple[dict, dict]:
    """Return both without the items that they share."""
    return _drop_shared(first, second), _drop_shared(second, first)


def _drop_shared(mine: dict, theirs: dict) -> dict:
    return {
        key: value for key, value in mine.items() if theirs.get(key) != value
    }


def hash_file(path: str | Path) -> str:
    """Return the sha256 of a file as 64 hex digits."""
    digest = hashlib.sha256()
    with open_regular(path) as file:
        while block := file.read(1 << 20):
            digest.update(block)
    return digest.hexdigest()


def hash_content(content: Any) -> str:  # noqa: ANN401
    """Return the sha256 of a JSON-like value, whatever its key order."""
    text = json.dumps(content, sort_keys=True, ensure_ascii=False)
    return hashlib.sha256(text.encode()).hexdigest()


def _umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask


def _sync_folder(folder: Path) -> None:
    """Flush the rename itself; only POSIX can open a folder."""
    if os.name != 'posix':
        return
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)

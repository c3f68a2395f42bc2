"""Limits for ``.npz`` files of other people, before memory is allocated."""

import zipfile
from collections.abc import Mapping
from typing import IO

import numpy as np

# Deflate packs zeros 1,000 to 1; softmax scores hardly at all.
_MAX_RATIO = 100
_ALWAYS_READ = 100_000_000  # bytes
# Kinds of numpy's types, by letter.
_KINDS = {'f': 'decimal', 'i': 'whole', 'u': 'whole', 'U': 'text'}


def check_archive(file: IO[bytes]) -> IO[bytes]:
    """Return an open ``.npz`` if its arrays are as large as they say.

    Args:
        file: The archive, at its start.

    Raises:
        ValueError: If it would expand to more than 100 times its size, or an
            array claims more elements than the archive holds.
    """
    size = file.seek(0, 2)
    file.seek(0)
    with zipfile.ZipFile(file) as archive:
        members = archive.infolist()
        check_expansion(size, sum(member.file_size for member in members))
        for member in members:
            _check_member(archive, member)
    file.seek(0)
    return file


def check_expansion(size: int, total: int) -> None:
    """Refuse content that would take far more memory than its file.

    Args:
        size: Bytes of the file.
        total: Bytes that its content claims.

    Raises:
        ValueError: If ``total`` is more than 100 MB and than 100 times
            ``size``.
    """
    if total > max(_ALWAYS_READ, _MAX_RATIO * size):
        raise ValueError(
            f'it has {size:,} bytes and expands to {total:,}, more than '
            f'{_MAX_RATIO} times as many'
        )


def check_kind(
    arrays: Mapping[str, np.ndarray], name: str, kinds: str, ndim: int
) -> None:
    """Refuse an array of another kind of values, or another dimension.

    Args:
        arrays: Arrays of a file by name.
        name: Name of the array.
        kinds: Allowed letters of ``dtype.kind``, among ``f``, ``i``, ``u``
            and ``U``.
        ndim: Expected number of dimensions.

    Raises:
        ValueError: If it has another kind or dimension.
    """
    array = arrays[name]
    if array.dtype.kind not in kinds or array.ndim != ndim:
        words = ' or '.join(dict.fromkeys(_KINDS[kind] for kind in kinds))
        raise ValueError(
            f'{name} must be an array of {ndim} dimensions with {words} '
            f'values, got {array.dtype!s:.60} values and the shape '
            f'{array.shape}'
        )


def take_texts(arrays: Mapping[str, np.ndarray], name: str) -> tuple[str, ...]:
    """Return the texts of a one-dimensional array.

    Raises:
        ValueError: If the array holds anything else.
    """
    check_kind(arrays, name, 'U', 1)
    return tuple(arrays[name].tolist())


def _check_member(archive: zipfile.ZipFile, member: zipfile.ZipInfo) -> None:
    """Compare the shape of an array with the bytes that are there."""
    with archive.open(member) as content:
        version = np.lib.format.read_magic(content)
        read = {
            (1, 0): np.lib.format.read_array_header_1_0,
            (2, 0): np.lib.format.read_array_header_2_0,
        }.get(version)
        if read is None:
            raise ValueError(
                f'{member.filename} has format {version}, expected 1.0 or 2.0'
            )
        shape, _, dtype = read(content)
    if dtype.hasobject:
        raise ValueError(
            f'{member.filename} holds Python objects (pickle), which may run '
            f'code; only numbers and text are read'
        )
    count = 1
    for length in shape:
        count *= length  # whole numbers of Python do not overflow
    if min(shape, default=0) < 0 or count * dtype.itemsize > member.file_size:
        raise ValueError(
            f'{member.filename} claims the shape {shape}, but has only '
            f'{member.file_size:,} bytes'
        )

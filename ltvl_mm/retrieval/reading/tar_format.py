"""Read the member headers of tars within memory limits, and write tars.

tarfile reads an extended header in one piece, of any size, and keeps all
members. Here each header has a size limit, nothing is kept, and archives that
were concatenated are read to the end.
"""

import io
import os
import tarfile
from array import array
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import IO

from ltvl_mm.retrieval.reading.tar_headers import read_plain_header

# Of one long name or pax header; paths have at most 4096 bytes.
MAX_HEADER_BYTES = 1 << 20
# A tar of all ImageNet-21k images has 14 million members, others far fewer.
MAX_MEMBERS = 20_000_000
# Between the end mark of an archive and the next archive, or the file's end.
MAX_PADDING_BYTES = 64 << 20

_BLOCK = tarfile.BLOCKSIZE
_CHUNK = 1 << 16
_EXTENDED = (
    tarfile.GNUTYPE_LONGNAME,
    tarfile.GNUTYPE_LONGLINK,
    tarfile.XHDTYPE,
    tarfile.SOLARIS_XHDTYPE,
    tarfile.XGLTYPE,
)


class BrokenTarError(ValueError):
    """A header that cannot be read, or the end of a file that was cut.

    Args:
        message: Description of the fault.
        after_end: True behind the end of an archive or of a member, so that
            all members before are complete.
    """

    def __init__(self, message: str, *, after_end: bool = False) -> None:
        super().__init__(message)
        self.after_end = after_end


@dataclass(frozen=True)
class TarMember:
    """A member of a tar.

    Args:
        name: Name as stored; bytes that are not UTF-8 are surrogates.
        kind: ``'file'``, ``'folder'``, ``'link'``, ``'sparse'`` (a file that
            is stored with holes) or ``'special'`` (a device or pipe).
        offset: Position of the first data byte in the tar.
        size: Bytes of data.
    """

    name: str
    kind: str
    offset: int
    size: int


@dataclass
class _Extended:
    """Fields of extended headers that replace those of the next header."""

    path: str | None = None
    size: int | None = None
    sparse: bool = False

    def add(self, other: '_Extended') -> None:
        """Take the fields that are not known yet: the first one wins."""
        self.path = other.path if self.path is None else self.path
        self.size = other.size if self.size is None else self.size
        self.sparse = self.sparse or other.sparse


@dataclass
class _Cursor:
    """Position of the walk and the fields that await the next header."""

    position: int = 0
    own: _Extended = field(default_factory=_Extended)
    shared: _Extended = field(default_factory=_Extended)


def iterate_members(file: IO[bytes]) -> Iterator[TarMember]:
    """Yield the members of a tar, and of tars concatenated to it.

    The file may be read at other positions between two members.

    Args:
        file: The tar, seekable.

    Raises:
        BrokenTarError: If a header is damaged or larger than
            MAX_HEADER_BYTES, the file ends without an end mark, there are
            more than MAX_MEMBERS, or bytes follow the end mark that are not a
            tar.
    """
    end = file.seek(0, os.SEEK_END)
    cursor, members, ended = _Cursor(), 0, False
    while True:
        if cursor.position > end:
            raise BrokenTarError('the file ends within a member')
        file.seek(cursor.position)
        block = file.read(_BLOCK)
        if not block.strip(b'\0') and len(block) == _BLOCK:
            following = _skip_zeros(file, cursor.position)
            if following is None:
                return
            cursor, ended = _Cursor(following), True
            continue
        header = _parse_header(block, cursor.position, ended)
        cursor.position += _BLOCK
        if header.type in _EXTENDED:
            _read_extended(file, header, cursor)
            continue
        member = _build_member(file, header, block, cursor)
        ended = False
        members += 1
        if members > MAX_MEMBERS:
            raise BrokenTarError(
                f'more than {MAX_MEMBERS:,} members; split the tar'
            )
        yield member


def read_data(
    file: IO[bytes], member: TarMember, *, max_bytes: int | None = None
) -> bytes:
    """Return the data of a member, at most the first ``max_bytes``.

    Raises:
        BrokenTarError: If the file ends before.
    """
    size = member.size if max_bytes is None else min(member.size, max_bytes)
    file.seek(member.offset)
    data = file.read(size)
    if len(data) < size:
        raise BrokenTarError(f'the file ends within {member.name!r:.200}')
    return data


def write_tar(file: IO[bytes], members: Iterable[tuple[str, bytes]]) -> array:
    """Write (name, bytes) members; equal members give equal bytes.

    Returns:
        First byte of each member's data, as an array of ``'q'``.
    """
    offsets = array('q')
    with tarfile.open(fileobj=file, mode='w', format=tarfile.USTAR_FORMAT) as (
        tar
    ):
        for name, data in members:
            member = tarfile.TarInfo(name)  # without owner and time
            member.size = len(data)
            tar.addfile(member, io.BytesIO(data))
            offsets.append(tar.offset - _round_up(len(data)))
    return offsets


def _skip_zeros(file: IO[bytes], start: int) -> int | None:
    """Return where the block of the next nonzero byte begins, or None."""
    file.seek(start)
    position = start
    while chunk := file.read(_CHUNK):
        rest = chunk.lstrip(b'\0')
        if rest:
            return (position + len(chunk) - len(rest)) // _BLOCK * _BLOCK
        position += len(chunk)
        if position - start > MAX_PADDING_BYTES:
            raise BrokenTarError(
                f'more than {MAX_PADDING_BYTES:,} zero bytes follow the end '
                f'mark; what is behind them is not read',
                after_end=True,
            )
    return None


def _parse_header(block: bytes, position: int, ended: bool) -> tarfile.TarInfo:
    plain = read_plain_header(block)
    if plain is not None:
        header = tarfile.TarInfo(plain[0])
        header.size = plain[1]
        return header
    if len(block) < _BLOCK:
        raise BrokenTarError(
            'bytes that are not a tar follow the end mark'
            if ended
            else 'the file ends without an end mark; members may be missing',
            # A tar that ends after a whole member is read like a whole one:
            # GNU tar extracts it without a message.
            after_end=ended or not block,
        )
    try:
        header = tarfile.TarInfo.frombuf(block, 'utf-8', 'surrogateescape')
    except (tarfile.HeaderError, ValueError) as error:
        where = 'after the end mark, ' if ended else ''
        raise BrokenTarError(
            f'{where}no valid header at byte {position:,}: {error}',
            after_end=ended,
        ) from None
    if header.size < 0:
        raise BrokenTarError(f'negative size at byte {position:,}')
    return header


def _build_member(
    file: IO[bytes], header: tarfile.TarInfo, block: bytes, cursor: _Cursor
) -> TarMember:
    """Apply the extended fields, and move the cursor past the data."""
    fields = cursor.own
    fields.add(cursor.shared)
    cursor.own = _Extended()
    size = header.size if fields.size is None else fields.size
    if header.type == tarfile.GNUTYPE_SPARSE:
        more = bool(block[482])
        while more:  # the list of holes continues in blocks of its own
            block = file.read(_BLOCK)
            more = len(block) == _BLOCK and bool(block[504])
            cursor.position += _BLOCK
    if header.type in (tarfile.LNKTYPE, tarfile.SYMTYPE):
        kind = 'link'
    elif header.isdir():
        kind = 'folder'
    elif not header.isreg():
        kind = 'special'
    elif fields.sparse or header.type == tarfile.GNUTYPE_SPARSE:
        kind = 'sparse'
    else:
        kind = 'file'
    name = header.name if fields.path is None else fields.path
    member = TarMember(name.rstrip('/'), kind, cursor.position, size)
    # Links, folders and devices have no data, whatever their size says.
    if header.isreg() or header.type not in tarfile.SUPPORTED_TYPES:
        cursor.position += _round_up(size)
    return member


def _read_extended(
    file: IO[bytes], header: tarfile.TarInfo, cursor: _Cursor
) -> None:
    """Read a long name or pax header and move the cursor past it."""
    if header.size > MAX_HEADER_BYTES:
        raise BrokenTarError(
            f'an extended header of {header.size:,} bytes at byte '
            f'{cursor.position - _BLOCK:,}; at most {MAX_HEADER_BYTES:,} are '
            f'read'
        )
    data = file.read(header.size)
    if len(data) < header.size:
        raise BrokenTarError('the file ends within an extended header')
    cursor.position += _round_up(header.size)
    if header.type == tarfile.GNUTYPE_LONGNAME:
        cursor.own.add(_Extended(path=_decode(data.partition(b'\0')[0])))
    elif header.type == tarfile.XGLTYPE:
        fields = _parse_pax(data)
        fields.add(cursor.shared)  # a later global header replaces earlier
        cursor.shared = fields
    elif header.type != tarfile.GNUTYPE_LONGLINK:
        cursor.own.add(_parse_pax(data))


def _parse_pax(data: bytes) -> _Extended:
    """Read ``length keyword=value`` records."""
    fields, start = _Extended(), 0
    while start < len(data) and data[start]:  # zeros pad some headers
        digits, space, _ = data[start : start + 20].partition(b' ')
        if not space or not digits.isdigit():
            raise BrokenTarError('a damaged pax header')
        first, stop = start + len(digits) + 1, start + int(digits)
        keyword, equals, value = data[first : stop - 1].partition(b'=')
        if not equals or not first < stop <= len(data):
            raise BrokenTarError('a damaged pax header')
        if keyword == b'path':
            fields.path = _decode(value)
        elif keyword == b'GNU.sparse.name':
            fields.path, fields.sparse = _decode(value), True
        elif keyword.startswith(b'GNU.sparse.'):
            fields.sparse = True
        elif keyword == b'size':
            if not value.isdigit() or len(value) > 20:
                raise BrokenTarError(f'a pax header with size {value!r:.40}')
            fields.size = int(value)
        start = stop
    return fields


def _decode(name: bytes) -> str:
    return name.decode('utf-8', 'surrogateescape')


def _round_up(size: int) -> int:
    return -(-size // _BLOCK) * _BLOCK

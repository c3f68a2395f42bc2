"""Text files of users: encodings, line ends, blank lines and comments."""

import re
import shlex
from dataclasses import dataclass
from pathlib import Path

from ltvl_mm.utils.regular_files import read_regular

# str.splitlines also splits at U+2028, U+0085, form feeds and separators,
# which names and paths may hold.
_LINE_END = re.compile(r'\r\n|\n|\r')
_BLANKS = ' \t'
_MARK = '\ufeff'
_ENCODINGS = (
    (b'\xff\xfe\0\0', 'UTF-32'),
    (b'\0\0\xfe\xff', 'UTF-32'),
    (b'\xff\xfe', 'UTF-16'),
    (b'\xfe\xff', 'UTF-16'),
)


@dataclass(frozen=True)
class Line:
    """A line of a text file that says something.

    Args:
        number: Counted from 1, with all lines of the file.
        text: Without line end, and blanks at both ends.
    """

    number: int
    text: str


def split_lines(text: str) -> list[str]:
    r"""Split at ``\n``, ``\r\n`` and ``\r``, and at nothing else."""
    lines = _LINE_END.split(text)
    return lines if lines[-1] else lines[:-1]


def escape_controls(text: str) -> str:
    r"""Escape characters that act on a terminal, as in ``\x1b``; keep ``\n``.

    Tabs are kept as well. All that Python calls not printable is escaped, so
    also line separators (U+2028) and marks that reverse the direction.
    """
    return ''.join(
        char
        if char.isprintable() or char in '\n\t'
        else char.encode('unicode_escape').decode()
        for char in text
    )


def read_text(path: str | Path) -> str:
    """Return the text of a UTF-8 file, without a byte order mark.

    Raises:
        ValueError: If the file does not exist or has another encoding; names
            file and line, and the command that converts it.
    """
    try:
        data = read_regular(path)
    except FileNotFoundError:
        raise ValueError(f'{path} does not exist') from None
    for mark, encoding in _ENCODINGS:
        if data.startswith(mark):
            raise ValueError(_advise(path, encoding, f'is {encoding} text'))
    try:
        text = data.decode()
    except UnicodeDecodeError as error:
        line = _count_lines(data[: error.start])
        fault = f'line {line}: byte {data[error.start]:#04x} is not UTF-8'
        advice = _advise(path, 'WINDOWS-1252', fault)
        raise ValueError(f'{advice} (if it is Latin-1 text)') from None
    if '\0' in text:
        where = data.index(b'\0')
        encoding = 'UTF-16LE' if where % 2 else 'UTF-16BE'
        line = _count_lines(data[:where])
        fault = f'line {line}: zero bytes, as in {encoding} text'
        raise ValueError(_advise(path, encoding, fault))
    return text.removeprefix(_MARK)


def read_lines(path: str | Path) -> list[Line]:
    """Return the lines of a text file that are neither blank nor comments.

    A comment begins with ``#``, followed by a blank, another ``#`` or the
    line end. So names and paths may begin with ``#``.

    Args:
        path: UTF-8 text; a byte order mark, and line ends of Windows and of
            old Macs, are accepted.

    Raises:
        ValueError: As :func:`read_text`.
    """
    lines = []
    for number, line in enumerate(split_lines(read_text(path)), 1):
        # Files that were joined have marks inside.
        text = line.lstrip(_MARK).strip(_BLANKS)
        if text and not is_comment(text):
            lines.append(Line(number, text))
    return lines


def is_comment(text: str) -> bool:
    """Return whether a line, stripped of blanks, is a comment."""
    return text == '#' or text.startswith(('# ', '#\t', '##'))


def _count_lines(data: bytes) -> int:
    return len(re.findall(rb'\r\n|\n|\r', data)) + 1


def _advise(path: str | Path, encoding: str, fault: str) -> str:
    file = Path(path)
    new = file.with_name(f'{file.stem}_utf8{file.suffix}')
    return (
        f'{path}: {fault}, expected UTF-8; convert it: iconv -f {encoding} '
        f'-t UTF-8 {shlex.quote(str(path))} > {shlex.quote(str(new))}'
    )

"""Images as members of tars."""

import io
import tarfile
from pathlib import Path

from PIL import Image


def draw(number: int) -> bytes:
    """Return a PNG whose color is ``number``, 0 to 215, in base 6."""
    color = tuple(51 * (number // 6**place % 6) for place in (2, 1, 0))
    file = io.BytesIO()
    Image.new('RGB', (8, 8), color).save(file, 'PNG')
    return file.getvalue()


def write_members(
    path: Path, members: list, form: int = tarfile.PAX_FORMAT
) -> None:
    """Write (name, content) members; see :func:`add_member`."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with tarfile.open(path, 'w', format=form) as tar:
        for name, content in members:
            add_member(tar, name, content)


def add_member(tar: tarfile.TarFile, name: str, content: object) -> None:
    """Add a member.

    Args:
        tar: The tar.
        name: Name of the member.
        content: An int for an image, text or bytes for a file, and
            ``(type, target)`` for a link, folder or device.
    """
    member = tarfile.TarInfo(name)
    if isinstance(content, tuple):
        member.type, member.linkname = content
        tar.addfile(member)
        return
    if isinstance(content, int):
        content = draw(content)
    elif isinstance(content, str):
        content = content.encode()
    member.size = len(content)
    tar.addfile(member, io.BytesIO(content))

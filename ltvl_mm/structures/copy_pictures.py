"""Pictures of near-duplicates of test images that a retrieval skipped.

``copies/copies.json`` lists them, and beside it lie small pictures of each
and of what it copies, so that a person can see whether the filter was right.
"""

import math
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from ltvl_mm.utils.io import read_json, write_json

FOLDER = 'copies'
_FILE = 'copies.json'


@dataclass(frozen=True)
class CopyPicture:
    """A web image and the test image that it copies.

    Attributes:
        key: Key of the web image.
        copy_of: Key of the test image.
        class_ids: For which classes it was a candidate.
        cosine: Between the two.
        evidence: ``'bytes'``, ``'url'`` or ``'looks'``.
        picture: File of the web image, relative to the folder; '' if its
            bytes are not available.
        original: The same of the test image.
    """

    key: str
    copy_of: str
    class_ids: tuple[int, ...]
    cosine: float
    evidence: str
    picture: str
    original: str


def save_copy_pictures(root: Path, pictures: list[CopyPicture]) -> None:
    """Write the list; the files are there already."""
    write_json(root / FOLDER / _FILE, [asdict(one) for one in pictures])


def load_copy_pictures(root: Path, num_classes: int) -> list[CopyPicture]:
    """Read the list of a retrieval's folder.

    Args:
        root: The folder.
        num_classes: Number K of classes of the retrieval.

    Raises:
        ValueError: If there is no list, as in folders of earlier versions,
            a value has another type, or a file lies outside of the folder;
            names file and entry.
    """
    file = root / FOLDER / _FILE
    found = read_json(file)
    if not isinstance(found, list):
        raise ValueError(
            f'{file} must hold a list of near-duplicates, got a '
            f'{type(found).__name__}'
        )
    pictures = []
    for number, entry in enumerate(found):
        try:
            pictures.append(_parse_entry(entry, num_classes))
        except ValueError as error:
            raise ValueError(f'{file}, entry {number}: {error}') from None
    return pictures


def _parse_entry(entry: Any, num_classes: int) -> CopyPicture:  # noqa: ANN401
    """Return an entry of the list.

    Raises:
        ValueError: If a value has another type than it should.
    """
    names = set(CopyPicture.__dataclass_fields__)
    if not isinstance(entry, dict) or set(entry) != names:
        raise ValueError(
            f'expected an object with {", ".join(sorted(names))}, got '
            f'{entry!r:.80}'
        )
    for name in ('key', 'copy_of', 'evidence', 'picture', 'original'):
        if not isinstance(entry[name], str):
            raise ValueError(f'{name} must be text, got {entry[name]!r:.80}')
    for name in ('picture', 'original'):
        path = Path(entry[name])
        address = '://' in entry[name]
        if address or path.is_absolute() or '..' in path.parts:
            raise ValueError(
                f'{name} must be a path inside the folder, got '
                f'{entry[name]!r:.80}'
            )
    cosine, classes = entry['cosine'], entry['class_ids']
    if type(cosine) not in (int, float) or not abs(cosine) < math.inf:
        raise ValueError(f'cosine must be a finite number, got {cosine!r:.80}')
    if not isinstance(classes, list) or not all(
        type(label) is int and 0 <= label < num_classes for label in classes
    ):
        raise ValueError(
            f'class_ids must be a list of whole numbers in [0, '
            f'{num_classes}), got {classes!r:.80}'
        )
    return CopyPicture(
        **{**entry, 'cosine': float(cosine), 'class_ids': tuple(classes)}
    )

"""Near-copies of test images that a retrieval passed over, as pictures.

``copies/copies.json`` lists them, and beside it lie small pictures of each
and of what it copies, so that a person can see whether the filter was right.
"""

from dataclasses import asdict, dataclass
from pathlib import Path

from ltvl_mm.utils.io import read_json, write_json

FOLDER = 'copies'
_FILE = 'copies.json'


@dataclass(frozen=True)
class CopyPicture:
    """A web image and the test image that it copies.

    Attributes:
        key: Of the web image.
        copy_of: Of the test image.
        class_ids: For which classes it was a candidate.
        cosine: Between the two.
        evidence: ``'bytes'``, ``'url'`` or ``'looks'``.
        picture: File of the web image, relative to the folder; '' if its
            bytes are not at hand.
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


def load_copy_pictures(root: Path) -> list[CopyPicture]:
    """Read the list of a retrieval's folder.

    Raises:
        ValueError: If there is none, as in folders of earlier versions, or a
            file leaves the folder.
    """
    found = read_json(root / FOLDER / _FILE)
    try:
        pictures = [
            CopyPicture(**{**one, 'class_ids': tuple(one['class_ids'])})
            for one in found
        ]
    except (TypeError, KeyError) as error:
        raise ValueError(
            f'{root / FOLDER / _FILE} is no list of copies: {error!r}'
        ) from None
    for one in pictures:
        for file in (one.picture, one.original):
            if Path(file).is_absolute() or '..' in Path(file).parts:
                raise ValueError(f'{root}: {file!r} leaves the folder')
    return pictures

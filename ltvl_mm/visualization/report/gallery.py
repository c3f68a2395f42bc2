"""The retrieved images of a report, small enough to stand in the page."""

import base64
import io
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from ltvl_mm.structures.manifest import Manifest
from ltvl_mm.utils.image_decoding import read_image
from ltvl_mm.utils.progress import progress_bar

SIDE = 72  # pixels of a thumbnail, at most
_MOST = 24  # images of a class
_PROBES = 64


@dataclass(frozen=True)
class Thumbnail:
    """A retrieved image.

    Attributes:
        picture: ``data:`` address; '' if the file could not be read.
        rank: In its class, 0 the best.
        score: The larger the better.
        caption: '' where the web gave none.
        key: In the store.
    """

    picture: str
    rank: int
    score: float
    caption: str
    key: str


def pick_rows(counts: np.ndarray, per_class: int) -> list[np.ndarray]:
    """Return rows of a manifest per class: best, worst, and evenly between.

    Args:
        counts: (K,) retrieved images; rows are sorted by class, then rank.
        per_class: Most of a class, >= 1.
    """
    starts = np.cumsum(counts) - counts
    return [
        start
        + np.unique(
            np.linspace(0, count - 1, min(count, per_class))
            .round()
            .astype(int)
        )
        for start, count in zip(starts, counts, strict=True)
    ]


def plan_gallery(
    manifest: Manifest, root: Path, room: int, *, markup: int
) -> tuple[np.ndarray, int]:
    """Return the classes to show, and how many images of each, at most.

    What there is room for, going by some of the images. Where not even one of
    each class does, evenly many of all classes.

    Args:
        manifest: Manifest of the retrieved images.
        root: Folder of its files.
        room: Characters that the pictures may take together.
        markup: Characters of a picture beside its own and its caption's.
    """
    present = np.flatnonzero(manifest.count_classes())
    if not len(present):
        return present, 0
    probes = np.linspace(0, len(manifest) - 1, min(_PROBES, len(manifest)))
    sizes = [
        markup
        + len(manifest.caption[row])
        + len(encode_thumbnail(root / manifest.file[row]))
        for row in probes.round().astype(int)
    ]
    number = int(room / np.mean(sizes))
    if number < len(present):
        picks = np.linspace(0, len(present) - 1, max(number, 1)).round()
        return present[np.unique(picks.astype(int))], 1
    return present, min(number // len(present), _MOST)


def make_thumbnails(
    manifest: Manifest, root: Path, classes: Sequence[int], per_class: int
) -> dict[int, list[Thumbnail]]:
    """Return class -> its thumbnails, best first."""
    rows = pick_rows(manifest.count_classes(), max(per_class, 1))
    total = sum(len(rows[label]) for label in classes)
    found: dict[int, list[Thumbnail]] = {}
    with progress_bar(total=total, title='gallery', unit='img') as bar:
        for label in classes:
            found[int(label)] = []
            for row in rows[label]:
                found[int(label)].append(
                    Thumbnail(
                        encode_thumbnail(root / manifest.file[row]),
                        int(manifest.rank[row]),
                        float(manifest.score[row]),
                        manifest.caption[row],
                        manifest.key[row],
                    )
                )
                bar.update()
    return found


def encode_thumbnail(path: Path) -> str:
    """Return a ``data:`` address of the image, '' if it cannot be read."""
    try:
        small = read_image(path, draft_side=SIDE)
    except (OSError, ValueError):
        return ''
    small.thumbnail((SIDE, SIDE))
    file = io.BytesIO()
    small.save(file, 'WEBP', quality=55, method=4)
    data = base64.b64encode(file.getvalue()).decode()
    return f'data:image/webp;base64,{data}'

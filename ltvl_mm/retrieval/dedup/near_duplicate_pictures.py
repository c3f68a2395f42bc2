"""Pictures of skipped near-duplicates beside their originals."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from ltvl_mm.retrieval.choice import Rejected
from ltvl_mm.retrieval.reading.web_image import read_image_bytes
from ltvl_mm.structures.copy_pictures import (
    FOLDER,
    CopyPicture,
    save_copy_pictures,
)
from ltvl_mm.structures.embedding_store import EmbeddingStore
from ltvl_mm.utils.image_decoding import decode_image
from ltvl_mm.utils.io import atomic_write, remove_folder

# Web-scale collections hold tens of thousands, more than a user looks at.
MAX_PICTURES = 300
_SIDE = 128
_PLACE = ('source', 'offset', 'size', 'sha256')


def write_copy_pictures(
    out: Path,
    rejected: Sequence[Rejected],
    store: EmbeddingStore,
    excluded: Sequence[EmbeddingStore],
) -> None:
    """Write ``copies/``: pictures of skipped near-duplicates of test images.

    If there are more than ``MAX_PICTURES`` pairs, that many are chosen at
    equal distances. An image whose bytes cannot be read is listed without a
    picture.

    Args:
        out: Folder of the retrieval.
        rejected: Rejected candidates of all classes; duplicates are left out.
        store: Store of the web images.
        excluded: Stores of the originals.
    """
    pairs: dict[tuple[str, str], list[Rejected]] = {}
    for entry in rejected:
        if entry.reason == 'excluded':
            pairs.setdefault((entry.key, entry.copy_of), []).append(entry)
    picks = np.linspace(
        0, len(pairs) - 1, min(len(pairs), MAX_PICTURES)
    ).round()
    listed = list(pairs.items())
    shown = [listed[pick] for pick in picks.astype(int)]
    copies = _read_pictures([store], [key for (key, _), _ in shown])
    originals = _read_pictures(excluded, [of for (_, of), _ in shown])
    remove_folder(out / FOLDER)  # of a killed run
    pictures = []
    for number, ((key, copy_of), entries) in enumerate(shown):
        pictures.append(
            CopyPicture(
                key,
                copy_of,
                tuple(entry.class_id for entry in entries),
                entries[0].cosine,
                entries[0].evidence,
                _write(out, f'{number:03d}_web.jpg', copies[number]),
                _write(out, f'{number:03d}_original.jpg', originals[number]),
            )
        )
    save_copy_pictures(out, pictures)


def _read_pictures(
    stores: Sequence[EmbeddingStore], keys: list[str]
) -> list[bytes | None]:
    """Return the bytes of each image, None where no store leads to them."""
    found: list[bytes | None] = [None] * len(keys)
    for store in stores:
        rows = store.find_rows(keys)
        known = np.flatnonzero(rows >= 0)
        metadata = store.read_metadata(rows[known], _PLACE)
        for turn, place in enumerate(known):
            try:
                found[place] = read_image_bytes(
                    *(metadata[n][turn] for n in _PLACE)
                )
            except ValueError:  # moved since it was embedded
                continue
    return found


def _write(out: Path, name: str, data: bytes | None) -> str:
    """Write a small picture; return its path in the folder, '' if none."""
    if data is None:
        return ''
    image = decode_image(data)  # it was embedded: it can be decoded
    image.thumbnail((_SIDE, _SIDE))
    with atomic_write(out / FOLDER / name) as file:
        image.save(file, 'JPEG', quality=80)
    return f'{FOLDER}/{name}'

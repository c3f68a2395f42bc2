"""Tars of drawn web images as img2dataset writes them, with planted faults.

Exact duplicates, near-duplicates of test images and files that cannot be
decoded, so that filters can be tested against a known truth.
"""

import csv
import io
import json
import tarfile
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path

import numpy as np
from PIL import Image, ImageEnhance

from ltvl_mm.utils.io import atomic_write

# Row of a plan: key, class_name, plant, source, and the drawer's own entries.
WebRow = dict[str, str | int]

_TRUTH_FILE = 'web_truth.csv'


def write_web_tar(
    path: Path,
    rows: Sequence[WebRow],
    *,
    write_caption: Callable[[WebRow], str],
    encode_image: Callable[[WebRow], bytes],
) -> None:
    """Write image, caption and record of each row to one tar.

    Args:
        path: Output file.
        rows: The plan's rows of this tar.
        write_caption: Row -> caption.
        encode_image: Row -> bytes of a JPEG file, or of a broken one.
    """
    with (
        atomic_write(path) as file,
        tarfile.open(fileobj=file, mode='w') as tar,
    ):
        for row in rows:
            key = str(row['key']).split('/')[1]
            caption = write_caption(row)
            record = {
                'key': key,
                'caption': caption,
                'status': 'success',
                'url': f'https://web.invalid/{key}.jpg',
            }
            _add_members(
                tar,
                key,
                [
                    ('jpg', encode_image(row)),
                    ('txt', caption.encode()),
                    ('json', json.dumps(record).encode()),
                ],
            )


def write_web_truth(path: Path, rows: Iterable[WebRow]) -> None:
    """Write class, kind of plant and source of every web image."""
    with atomic_write(path, 'w') as file:
        writer = csv.DictWriter(
            file,
            ['key', 'class_name', 'plant', 'source'],
            extrasaction='ignore',
            lineterminator='\n',
        )
        writer.writeheader()
        writer.writerows(rows)


def read_web_truth(root: str | Path) -> dict[str, dict[str, str]]:
    """Return a world's key -> class_name, plant and source."""
    with open(Path(root) / _TRUTH_FILE, encoding='utf-8') as file:
        return {row['key']: row for row in csv.DictReader(file)}


def format_web_key(index: int, per_tar: int) -> str:
    """Return the key as img2dataset numbers it, after its tar's name."""
    tar, row = divmod(index, per_tar)
    return f'{tar:05d}/{tar:05d}{row:04d}'


def encode_near_duplicate(
    image: Image.Image, rng: np.random.Generator
) -> bytes:
    """Re-encode with another brightness, as copies on the web are."""
    image = ImageEnhance.Brightness(image).enhance(rng.uniform(0.9, 1.1))
    return encode_jpeg(image, quality=int(rng.integers(60, 85)))


def break_file(data: bytes, rng: np.random.Generator) -> bytes:
    """Return an empty file, a third of a file, or a page in its place."""
    broken = [b'', data[: len(data) // 3], b'<html>404 not found</html>']
    return broken[rng.integers(3)]


def encode_jpeg(image: Image.Image, quality: int = 90) -> bytes:
    """Return the bytes of a JPEG file."""
    buffer = io.BytesIO()
    image.save(buffer, 'JPEG', quality=quality)
    return buffer.getvalue()


def _add_members(
    tar: tarfile.TarFile, key: str, members: Iterable[tuple[str, bytes]]
) -> None:
    for suffix, data in members:
        info = tarfile.TarInfo(f'{key}.{suffix}')
        info.size = len(data)
        tar.addfile(info, io.BytesIO(data))

"""The toy world's web memory: tars as img2dataset writes them."""

import csv
import io
import json
import tarfile
from collections.abc import Iterable
from pathlib import Path

import numpy as np
from PIL import Image, ImageEnhance

from ltvl_mm.datasets.toy_drawing import CLASS_NAMES, draw_image
from ltvl_mm.datasets.toy_world_spec import (
    STREAMS,
    ToyWorldSize,
    draw_split_image,
    encode_jpeg,
    write_caption,
)
from ltvl_mm.utils.io import atomic_write
from ltvl_mm.utils.rng import make_generator


def write_web_tar(path: Path, *, number: int, size: ToyWorldSize) -> None:
    """Write tar ``number``: image, caption and record of each key."""
    start = number * size.web_per_tar
    rows = _plan_web(size)[start : start + size.web_per_tar]
    with (
        atomic_write(path) as file,
        tarfile.open(fileobj=file, mode='w') as tar,
    ):
        for row in rows:
            key = str(row['key']).split('/')[1]
            # A generator of its own: a duplicate has other words around it.
            rng = make_generator(size.seed, STREAMS['web'], 1, int(key))
            caption = write_caption(
                row['class_name'] or CLASS_NAMES[rng.integers(96)], rng
            )
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
                    ('jpg', _web_bytes(row, size)),
                    ('txt', caption.encode()),
                    ('json', json.dumps(record).encode()),
                ],
            )


def write_web_truth(path: Path, *, size: ToyWorldSize) -> None:
    """Write class, kind of plant and source of every web image."""
    with atomic_write(path, 'w') as file:
        writer = csv.DictWriter(
            file,
            ['key', 'class_name', 'plant', 'source'],
            extrasaction='ignore',
            lineterminator='\n',
        )
        writer.writeheader()
        writer.writerows(_plan_web(size))


def read_web_truth(root: str | Path) -> dict[str, dict[str, str]]:
    """Return what each web image is: key -> class_name, plant, source."""
    with open(Path(root) / 'web_truth.csv', encoding='utf-8') as file:
        return {row['key']: row for row in csv.DictReader(file)}


def _plan_web(size: ToyWorldSize) -> list[dict[str, str | int]]:
    """Decide for each web image its class and whether it is planted.

    2 % exact duplicates, 1 % near-copies of test images, 1 % undecodable,
    and of the rest 15 % show no object.
    """
    rng = make_generator(size.seed, STREAMS['plant'])
    plants = rng.choice(
        ['duplicate', 'test_copy', 'undecodable', ''],
        size.web,
        p=[0.02, 0.01, 0.01, 0.96],
    )
    plants[0] = ''  # something to duplicate
    classes = rng.integers(len(CLASS_NAMES), size=size.web)
    empty = rng.random(size.web) < 0.15
    rows: list[dict[str, str | int]] = []
    originals: list[int] = []
    for index, plant in enumerate(plants):
        name = '' if empty[index] else CLASS_NAMES[classes[index]]
        row = {
            'key': _web_key(index, size),
            'class_name': name,
            'plant': str(plant),
            'source': '',
            'index': index,
        }
        if plant == 'duplicate':
            source = int(rng.choice(originals))
            row |= {
                'index': source,
                'source': rows[source]['key'],
                'class_name': rows[source]['class_name'],
            }
        elif plant == 'test_copy':
            label = int(classes[index])
            number = int(rng.integers(size.test_per_class))
            row |= {
                'class_name': CLASS_NAMES[label],
                'source': f'{label}/{number}',
            }
        elif not plant:
            originals.append(index)
        rows.append(row)
    return rows


def _web_key(index: int, size: ToyWorldSize) -> str:
    """Return the key as img2dataset numbers it, behind its tar's name."""
    tar, row = divmod(index, size.web_per_tar)
    return f'{tar:05d}/{tar:05d}{row:04d}'


def _web_bytes(row: dict[str, str | int], size: ToyWorldSize) -> bytes:
    rng = make_generator(size.seed, STREAMS['web'], int(row['index']))
    if row['plant'] == 'test_copy':
        label, number = map(int, str(row['source']).split('/'))
        return _copy_nearly(
            draw_split_image('test', label, number, size.seed), rng
        )
    data = encode_jpeg(
        draw_image(row['class_name'] or None, rng, web_look=True)
    )
    if row['plant'] == 'undecodable':
        return [b'', data[: len(data) // 3], b'<html>404 not found</html>'][
            rng.integers(3)
        ]
    return data


def _copy_nearly(image: Image.Image, rng: np.random.Generator) -> bytes:
    """Re-encode with another brightness, as copies on the web are."""
    image = ImageEnhance.Brightness(image).enhance(rng.uniform(0.9, 1.1))
    return encode_jpeg(image, quality=int(rng.integers(60, 85)))


def _add_members(
    tar: tarfile.TarFile, key: str, members: Iterable[tuple[str, bytes]]
) -> None:
    for suffix, data in members:
        info = tarfile.TarInfo(f'{key}.{suffix}')
        info.size = len(data)
        tar.addfile(info, io.BytesIO(data))

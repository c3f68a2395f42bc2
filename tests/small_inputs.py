"""Small inputs of tests: names, images and a manifest."""

from pathlib import Path

import numpy as np
from PIL import Image

from ltvl_mm.structures.manifest import Manifest
from ltvl_mm.structures.manifest_file import save_manifest

ROOT = Path(__file__).parents[1]
NAMES = ('cat', 'dog', 'owl')
PIPELINE = [dict(type='LoadImageFromFile'), dict(type='PackInputs')]


def write_manifest(folder, names, class_ids, *, side=8):
    """Write images and their manifest; image i has key ``k<i>``."""
    class_id = np.array(class_ids)
    files = tuple(f'images/{number}.png' for number in range(len(class_id)))
    for number, file in enumerate(files):
        save_image(folder / file, number, side)
    ranks = [
        (class_id[:row] == label).sum() for row, label in enumerate(class_id)
    ]
    save_manifest(
        folder / 'manifest.parquet',
        Manifest(
            class_names=tuple(names),
            class_id=class_id,
            rank=np.array(ranks),
            score=-np.arange(len(class_id), dtype=float),
            cosine=np.full(len(class_id), 0.3),
            key=tuple(f'k{number}' for number in range(len(class_id))),
            file=files,
            caption=('',) * len(class_id),
            source={},
        ),
    )
    return folder / 'manifest.parquet'


def save_image(path, number, side=8):
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.new('RGB', (side, side), (number % 256, 0, 0)).save(path)

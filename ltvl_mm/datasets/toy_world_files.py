"""Write the toy world to disk in the formats that real data comes in.

A folder of it holds a long-tailed train list with balanced val and test lists
(``path label``, as ImageNet-LT), an open-set list of images that show none of
the classes (``path -1``, as OLTR's), a caption corpus to pre-train a small
CLIP (mmengine's ``data_list`` JSON), and an unlabelled web memory (tars as
img2dataset writes them) with planted undecodable images, exact duplicates and
near-copies of test images. ``web_truth.csv`` says what each web image is; no
method reads it, only the evaluation of retrieval.
"""

import json
from dataclasses import asdict
from functools import partial
from pathlib import Path

import numpy as np
from PIL import Image

from ltvl_mm.datasets.toy_drawing import CLASS_NAMES, SIZE, draw_image
from ltvl_mm.datasets.toy_web_memory import write_web_part, write_web_plan
from ltvl_mm.datasets.toy_world_spec import (
    STREAMS,
    ToyWorldSize,
    count_open_images,
    count_training_images,
    draw_open_image,
    draw_split_image,
    write_caption,
)
from ltvl_mm.datasets.world_files import (
    Job,
    write_image,
    write_open_set,
    write_split,
    write_world,
)
from ltvl_mm.utils.io import atomic_write
from ltvl_mm.utils.rng import make_generator


def write_toy_world(
    root: str | Path, size: ToyWorldSize, *, workers: int = 2
) -> None:
    """Write the world to ``root``, or finish what a killed run began.

    The bytes depend on ``size`` alone, not on ``workers`` nor on kills.

    Raises:
        ValueError: If ``root`` holds a world of another size or seed.
    """
    write_world(
        root,
        _list_jobs(Path(root), size),
        settings={'format': 1, 'image_size': SIZE, **asdict(size)},
        class_names=CLASS_NAMES,
        title='toy world',
        workers=workers,
    )


def _list_jobs(root: Path, size: ToyWorldSize) -> list[Job]:
    """Return (file that marks the part as done, function that makes it)."""
    counts = {
        'train': count_training_images(size),
        'val': np.full(len(CLASS_NAMES), size.val_per_class),
        'test': np.full(len(CLASS_NAMES), size.test_per_class),
    }
    jobs: list[Job] = [
        (
            root / f'{split}.txt',
            partial(
                write_split,
                class_names=CLASS_NAMES,
                counts=counts[split],
                draw=partial(_draw_labelled, split=split, seed=size.seed),
            ),
        )
        for split in counts
    ]
    jobs.append(
        (
            root / 'open.txt',
            partial(
                write_open_set,
                count=count_open_images(size),
                draw=partial(draw_open_image, seed=size.seed),
            ),
        )
    )
    jobs.append((root / 'corpus.json', partial(_write_corpus, size=size)))
    tars = -(-size.web // size.web_per_tar)
    jobs += [
        (
            root / 'web' / f'{number:05d}.tar',
            partial(write_web_part, number=number, size=size),
        )
        for number in range(tars)
    ]
    jobs.append((root / 'web_truth.csv', partial(write_web_plan, size=size)))
    return jobs


def _draw_labelled(
    label: int, number: int, *, split: str, seed: int
) -> Image.Image:
    return draw_split_image(split, label, number, seed)


def _write_corpus(path: Path, *, size: ToyWorldSize) -> None:
    folder = path.parent / 'images' / 'corpus'
    folder.mkdir(parents=True, exist_ok=True)
    samples = []
    for number in range(size.corpus):
        rng = make_generator(size.seed, STREAMS['corpus'], number)
        name = CLASS_NAMES[rng.integers(len(CLASS_NAMES))]
        image = draw_image(name, rng, web_look=bool(rng.random() < 0.5))
        file = f'{number:05d}.jpg'
        write_image(folder / file, image)
        samples.append({'img_path': file, 'caption': write_caption(name, rng)})
    with atomic_write(path, 'w') as listing:
        json.dump({'metainfo': {}, 'data_list': samples}, listing)

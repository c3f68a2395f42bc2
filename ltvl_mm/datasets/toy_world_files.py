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
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from dataclasses import asdict
from functools import partial
from pathlib import Path

import numpy as np

from ltvl_mm.datasets.toy_drawing import CLASS_NAMES, SIZE, draw_image
from ltvl_mm.datasets.toy_web_memory import write_web_tar, write_web_truth
from ltvl_mm.datasets.toy_world_spec import (
    STREAMS,
    ToyWorldSize,
    count_open_images,
    count_training_images,
    draw_open_image,
    draw_split_image,
    encode_jpeg,
    write_caption,
)
from ltvl_mm.utils.io import (
    atomic_write,
    hash_content,
    read_json,
    remove_temporaries,
    write_json,
)
from ltvl_mm.utils.lock import locks_output
from ltvl_mm.utils.progress import progress_bar
from ltvl_mm.utils.rng import make_generator
from ltvl_mm.utils.temporaries import explain_write_errors


@locks_output('root')
def write_toy_world(
    root: str | Path, size: ToyWorldSize, *, workers: int = 2
) -> None:
    """Write the world to ``root``, or finish what a killed run began.

    The bytes depend on ``size`` alone, not on ``workers`` nor on kills.

    Raises:
        ValueError: If ``root`` holds a world of another size or seed.
    """
    root = Path(root)
    settings = {'format': 1, 'image_size': SIZE, **asdict(size)}
    settings['fingerprint'] = hash_content(settings)
    marker = root / 'world.json'
    if marker.exists() and read_json(marker) != settings:
        raise ValueError(
            f'{root} holds a toy world of other settings ({marker}); choose '
            f'another folder or delete it'
        )
    write_json(marker, settings)
    remove_temporaries(root / 'web')
    with atomic_write(root / 'class_names.txt', 'w') as file:
        file.writelines(f'{name}\n' for name in CLASS_NAMES)
    jobs = [job for job in _list_jobs(root, size) if not job[0].exists()]
    with (
        ProcessPoolExecutor(workers) as pool,
        progress_bar(total=len(jobs), title='toy world', unit='part') as bar,
    ):
        for _ in pool.map(_run_job, jobs):
            bar.update()


def _list_jobs(
    root: Path, size: ToyWorldSize
) -> list[tuple[Path, Callable[[Path], None]]]:
    """Return (file that marks the part as done, function that makes it)."""
    counts = {
        'train': count_training_images(size),
        'val': np.full(len(CLASS_NAMES), size.val_per_class),
        'test': np.full(len(CLASS_NAMES), size.test_per_class),
    }
    jobs = [
        (
            root / f'{split}.txt',
            partial(_write_split, split=split, counts=n, seed=size.seed),
        )
        for split, n in counts.items()
    ]
    jobs.append((root / 'open.txt', partial(_write_open_set, size=size)))
    jobs.append((root / 'corpus.json', partial(_write_corpus, size=size)))
    tars = -(-size.web // size.web_per_tar)
    jobs += [
        (
            root / 'web' / f'{number:05d}.tar',
            partial(write_web_tar, number=number, size=size),
        )
        for number in range(tars)
    ]
    jobs.append((root / 'web_truth.csv', partial(write_web_truth, size=size)))
    return jobs


def _run_job(job: tuple[Path, Callable[[Path], None]]) -> None:
    job[1](job[0])


def _write_split(
    path: Path, *, split: str, counts: np.ndarray, seed: int
) -> None:
    lines = []
    for label, count in enumerate(counts):
        folder = Path('images', split, CLASS_NAMES[label].replace(' ', '_'))
        (path.parent / folder).mkdir(parents=True, exist_ok=True)
        for number in range(count):
            file = folder / f'{number:04d}.jpg'
            image = draw_split_image(split, label, number, seed)
            _write_image(path.parent / file, encode_jpeg(image))
            lines.append(f'{file.as_posix()} {label}\n')
    with atomic_write(path, 'w') as file:
        file.writelines(lines)


def _write_open_set(path: Path, *, size: ToyWorldSize) -> None:
    folder = Path('images', 'open')
    (path.parent / folder).mkdir(parents=True, exist_ok=True)
    lines = []
    for number in range(count_open_images(size)):
        file = folder / f'{number:04d}.jpg'
        image = draw_open_image(number, size.seed)
        _write_image(path.parent / file, encode_jpeg(image))
        lines.append(f'{file.as_posix()} -1\n')
    with atomic_write(path, 'w') as file:
        file.writelines(lines)


def _write_corpus(path: Path, *, size: ToyWorldSize) -> None:
    folder = path.parent / 'images' / 'corpus'
    folder.mkdir(parents=True, exist_ok=True)
    samples = []
    for number in range(size.corpus):
        rng = make_generator(size.seed, STREAMS['corpus'], number)
        name = CLASS_NAMES[rng.integers(len(CLASS_NAMES))]
        image = draw_image(name, rng, web_look=bool(rng.random() < 0.5))
        file = f'{number:05d}.jpg'
        _write_image(folder / file, encode_jpeg(image))
        samples.append({'img_path': file, 'caption': write_caption(name, rng)})
    with atomic_write(path, 'w') as file:
        json.dump({'metainfo': {}, 'data_list': samples}, file)


def _write_image(file: Path, data: bytes) -> None:
    with explain_write_errors(file):
        file.write_bytes(data)

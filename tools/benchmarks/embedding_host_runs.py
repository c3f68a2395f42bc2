"""Measurements of embedding_host.py."""

import argparse
import importlib.util
import io
import json
import platform
import subprocess
import sys
import tarfile
import tempfile
import time
import venv
from collections.abc import Callable, Iterator
from pathlib import Path
from statistics import median

import numpy as np
import torch
from embedding_runs import draw_jpeg
from PIL import Image

from ltvl_mm.clip.pixels import PixelNormalizer, PixelTransform
from ltvl_mm.clip.preprocessing import (
    build_image_transform,
    find_preprocessing,
)
from ltvl_mm.retrieval.reading.image_batches import ShardBatches
from ltvl_mm.retrieval.reading.shards import find_shards

# Width and height. img2dataset's short side of 256 px, then larger ones.
SIZES = {
    '256': (340, 256),
    '512x384': (512, 384),
    '1600x1200': (1600, 1200),
}
DISTINCT = 16  # images that are drawn; the others repeat them
# Their dependencies are left out: the reader needs torch and Pillow alone.
PACKAGES = ('clip-retrieval==2.45.0', 'webdataset==0.2.111')


def run(args: argparse.Namespace) -> None:
    """Measure and print the results."""
    torch.set_num_threads(1)
    theirs = args.clip_retrieval and load_clip_retrieval(args.clip_retrieval)
    results = {}
    with tempfile.TemporaryDirectory() as folder:
        for name, (width, height) in SIZES.items():
            images = max(args.pixels // (width * height), args.batch_size)
            tar = Path(folder) / f'{name}.tar'
            write_tar_of_jpegs(tar, images, width, height)
            results[name] = measure(args, tar, images, theirs)
            print(name, json.dumps(results[name]), flush=True)
    summary: dict[str, object] = {
        'processor': name_processor(),
        'repeats': args.repeats,
    }
    for measured in results['256']:
        summary[measured] = {
            size: round(values[measured], 4)
            for size, values in results.items()
        }
    print(json.dumps(summary))


def measure(
    args: argparse.Namespace, tar: Path, images: int, theirs: object
) -> dict[str, float]:
    """Return CPU ms an image of each reader, and the ratios of ours."""
    preprocessing = find_preprocessing(args.arch, None)
    transform = build_image_transform(preprocessing)
    ours = PixelTransform(preprocessing)
    runs: dict[str, Callable[[], int]] = {
        'ours': lambda: read_ours(tar, ours, args.batch_size),
        'open_clip': lambda: read_plainly(tar, transform, args.batch_size),
    }
    if theirs is not None:
        runs['clip_retrieval'] = lambda: read_theirs(
            theirs, tar, transform, args.batch_size
        )
    times: dict[str, list[float]] = {name: [] for name in runs}
    for _ in range(args.repeats):
        for name, read in runs.items():
            start = time.process_time()
            found = read()
            times[name].append(1000 * (time.process_time() - start) / images)
            if found != images:
                raise ValueError(f'{name} read {found} of {images} images')
        normalize = PixelNormalizer(preprocessing)
        times.setdefault('normalize', []).append(
            measure_normalization(normalize, args.batch_size)
        )
    cost = {name: median(values) for name, values in times.items()}
    return {f'{name}_ms_per_image': value for name, value in cost.items()} | {
        f'ours_over_{name}': cost['ours'] / cost[name]
        for name in runs
        if name != 'ours'
    }


def measure_normalization(
    normalize: PixelNormalizer, batch_size: int
) -> float:
    """Return the CPU ms an image that an encoder on the CPU adds."""
    side = 224
    pixels = torch.zeros((batch_size, 3, side, side), dtype=torch.uint8)
    normalize(pixels)
    start = time.process_time()
    normalize(pixels)
    return 1000 * (time.process_time() - start) / batch_size


def read_ours(tar: Path, transform: Callable, batch_size: int) -> int:
    """Return how many images our reader gives."""
    shards = find_shards([str(tar)])
    batches = ShardBatches(shards, [0], transform, batch_size)
    return sum(len(batch.rows) for batch in batches)


def read_theirs(
    reader: object, tar: Path, transform: Callable, batch_size: int
) -> int:
    """Return how many images clip-retrieval's reader gives."""
    batches = reader.WebdatasetReader(
        sampler=lambda urls: urls,
        preprocess=transform,
        tokenizer=None,
        input_dataset=[str(tar)],
        batch_size=batch_size,
        num_prepro_workers=0,
        enable_text=False,
    )
    return sum(len(batch['image_tensor']) for batch in batches)


def read_plainly(tar: Path, transform: Callable, batch_size: int) -> int:
    """Return how many images tarfile and open_clip's transform give."""
    images, read = [], 0
    with tarfile.open(tar) as members:
        for member in members:
            if member.name.endswith('.jpg'):
                data = members.extractfile(member).read()
                image = Image.open(io.BytesIO(data), formats=('JPEG',))
                images.append(transform(image))
            if len(images) == batch_size:
                read += len(torch.stack(images))
                images = []
    return read + (len(torch.stack(images)) if images else 0)


def load_clip_retrieval(folder: Path) -> object:
    """Return clip-retrieval's reader from a virtual environment.

    The package imports a server and an index when it is imported, so that its
    file is loaded alone.

    Args:
        folder: The environment; made if it does not exist.
    """
    if not folder.exists():
        venv.create(folder, with_pip=True)
        pip = [str(folder / 'bin/python'), '-m', 'pip', 'install']
        subprocess.run([*pip, '-q', '--no-deps', *PACKAGES], check=True)
    (site,) = folder.glob('lib/python*/site-packages')
    sys.path.append(str(site))  # webdataset; last, so that torch is ours
    file = site / 'clip_retrieval/clip_inference/reader.py'
    spec = importlib.util.spec_from_file_location('reader', file)
    reader = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(reader)
    return reader


def write_tar_of_jpegs(
    file: Path, images: int, width: int, height: int
) -> None:
    """Write images with captions and records, as img2dataset does."""
    files = list(draw_files(width, height))
    with tarfile.open(file, 'w') as tar:
        for number in range(images):
            key = f'{number:09d}'
            record = {
                'url': f'https://example.org/{key}.jpg',
                'caption': f'picture {number}',
                'key': key,
                'status': 'success',
                'error_message': None,
                'width': width,
                'height': height,
                'original_width': 2 * width,
                'original_height': 2 * height,
                'exif': '{}',
                'sha256': '0' * 64,
            }
            for suffix, data in (
                ('jpg', files[number % len(files)]),
                ('json', json.dumps(record).encode()),
                ('txt', record['caption'].encode()),
            ):
                member = tarfile.TarInfo(f'{key}.{suffix}')
                member.size = len(data)
                tar.addfile(member, io.BytesIO(data))


def name_processor() -> str:
    """Return the name of the processor, as Linux gives it."""
    file = Path('/proc/cpuinfo')
    lines = file.read_text().splitlines() if file.exists() else []
    names = [line for line in lines if line.startswith('model name')]
    return names[0].partition(': ')[2] if names else platform.processor()


def draw_files(width: int, height: int) -> Iterator[bytes]:
    """Yield the bytes of random JPEGs."""
    rng = np.random.default_rng(0)
    for _ in range(DISTINCT):
        yield draw_jpeg(rng, width, height)

"""Measurements of dataset_start.py."""

import argparse
import tempfile
import time
import timeit
from multiprocessing import get_context
from pathlib import Path

import numpy as np
import pyarrow as pa
from mmengine.registry import DefaultScope

from ltvl_mm.datasets.samplers import ClassBalancedSampler
from ltvl_mm.datasets.tackle import TACKLEDataset
from ltvl_mm.structures.image_list import ImageList, write_image_list
from ltvl_mm.structures.manifest import Manifest
from ltvl_mm.structures.manifest_file import load_manifest, save_manifest
from ltvl_mm.utils.rng import make_generator

CLASSES = 1000


def run(args: argparse.Namespace) -> dict:
    """Return the results of the benchmark."""
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder)
        write_inputs(root, args.target, args.retrieved)
        return measure(root, args.retrieved)


def write_inputs(root: Path, target: int, retrieved: int) -> None:
    labels = make_generator(0).integers(CLASSES, size=target)
    paths = tuple(
        f'train/n{label:08d}/{row}.jpg'
        for row, label in enumerate(labels.tolist())
    )
    write_image_list(root / 'train.txt', ImageList(paths, labels))
    class_id = np.sort(np.arange(retrieved) % CLASSES).astype(np.int32)
    counts = np.bincount(class_id, minlength=CLASSES)
    rank = np.concatenate([np.arange(count) for count in counts])
    files = [
        f'images/{label:05d}/{place:05d}.jpg'
        for label, place in zip(class_id, rank, strict=True)
    ]
    for file in (paths[0], files[0]):
        (root / file).parent.mkdir(parents=True)
        (root / file).touch()
    score = np.linspace(1, 0, retrieved)
    manifest = Manifest(
        tuple(map(str, range(CLASSES))),
        class_id,
        rank.astype(np.int32),
        score,
        score,
        [f'{row // 10000:05d}/{row:09d}' for row in range(retrieved)],
        files,
        [
            f'a caption of about sixty bytes, as the web has it, {row}'
            for row in range(retrieved)
        ],
        {},
    )
    save_manifest(root / 'manifest.parquet', manifest)


def read_memory() -> int:
    """Return the private memory of this process in bytes (Linux)."""
    for line in Path('/proc/self/status').read_text().splitlines():
        if line.startswith('VmRSS'):
            return int(line.split()[1]) * 1024
    raise ValueError('/proc/self/status has no line VmRSS')


def measure_memory(file: Path) -> tuple[int, int]:
    """Return what a manifest adds to resident memory, and Arrow's buffers.

    Args:
        file: The manifest. Call this in a new process: one that has made the
            manifest has free memory, into which it is loaded.
    """
    before = read_memory()
    kept = load_manifest(file)
    assert len(kept)
    return read_memory() - before, pa.total_allocated_bytes()


def measure(root: Path, retrieved: int) -> dict[str, float]:
    with get_context('spawn').Pool(1) as pool:
        resident, buffers = pool.apply(
            measure_memory, [root / 'manifest.parquet']
        )
    kept = load_manifest(root / 'manifest.parquet')
    target = {
        'type': 'CustomDataset',
        'data_root': str(root),
        'ann_file': 'train.txt',
        'classes': list(kept.class_names),
        'pipeline': [{'type': 'LoadImageFromFile'}, {'type': 'PackInputs'}],
    }
    start = time.perf_counter()
    with DefaultScope.overwrite_default_scope('mmpretrain'):
        dataset = TACKLEDataset(target, str(root / 'manifest.parquet'))
    built = time.perf_counter()
    ClassBalancedSampler(dataset, seed=0)
    sampled = time.perf_counter()
    rows = make_generator(1).integers(len(dataset), size=10_000).tolist()
    # The fastest of several passes, since machines are shared.
    info_s = min(
        timeit.repeat(
            lambda: [dataset.get_data_info(row) for row in rows],
            number=1,
            repeat=7,
        )
    )
    return {
        'samples': len(dataset),
        'dataset_s': round(built - start, 3),
        'sampler_s': round(sampled - built, 3),
        'info_us': round(info_s * 1e6 / len(rows), 2),
        'manifest_row_bytes': round(resident / retrieved),
        'manifest_row_buffers': round(buffers / retrieved),
    }

"""Measurements of dataset_start.py."""

import argparse
import tempfile
import time
import timeit
from multiprocessing import get_context
from pathlib import Path
from statistics import median

import numpy as np
import pyarrow as pa
from embedding_runs import draw_jpeg
from mmengine.dataset import BaseDataset
from mmengine.registry import DefaultScope

from ltvl_mm.datasets.samplers import ClassBalancedSampler
from ltvl_mm.datasets.tackle import TACKLEDataset
from ltvl_mm.registry import DATASETS
from ltvl_mm.structures.image_list import ImageList, write_image_list
from ltvl_mm.structures.manifest import Manifest
from ltvl_mm.structures.manifest_file import load_manifest, save_manifest
from ltvl_mm.utils.rng import make_generator, seed_libraries

CLASSES = 1000
# Images of each origin that items are read from, passes over them, and
# processes that make them: where a process has its objects in memory changes
# the ratio by some percent.
ITEMS, PASSES, PROCESSES = 32, 60, 5
PLAIN = [{'type': 'LoadImageFromFile'}, {'type': 'PackInputs'}]
# As for ImageNet-LT.
AUGMENTED = [
    {'type': 'LoadImageFromFile'},
    {'type': 'RandomResizedCrop', 'scale': 224},
    {'type': 'RandomFlip', 'prob': 0.5, 'direction': 'horizontal'},
    {'type': 'PackInputs'},
]


def run(args: argparse.Namespace) -> dict:
    """Return the results of the benchmark."""
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder)
        write_inputs(root, args.target, args.retrieved)
        write_inputs(root / 'items', ITEMS, ITEMS)
        found: dict[str, object] = dict(measure(root, args.retrieved))
        for name, side, pipeline in (
            ('64', 64, PLAIN),
            ('256', 256, AUGMENTED),
        ):
            found[f'item_{name}'] = repeat_items(
                root / 'items', side, pipeline
            )
        return found


def write_inputs(root: Path, target: int, retrieved: int) -> None:
    root.mkdir(exist_ok=True)
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
        {'score': 'softmax'},
    )
    save_manifest(root / 'manifest.parquet', manifest)


def read_memory() -> int:
    """Return the private memory of this process in bytes (Linux)."""
    for line in Path('/proc/self/status').read_text().splitlines():
        if line.startswith('VmRSS'):
            return int(line.split()[1]) * 1024
    raise ValueError('/proc/self/status has no line VmRSS')


def measure_memory(file: Path, small: Path) -> tuple[int, int]:
    """Return what a manifest adds to resident memory, and Arrow's buffers.

    Args:
        file: The manifest. Call this in a new process: one that has made the
            manifest has free memory, into which it is loaded.
        small: A manifest that is loaded first, so that modules which reading
            imports do not count.
    """
    load_manifest(small)
    before = read_memory()
    kept = load_manifest(file)
    assert len(kept)
    return read_memory() - before, pa.total_allocated_bytes()


def describe_target(root: Path, pipeline: list[dict]) -> dict:
    """Return the config of the target data set."""
    return {
        'type': 'CustomDataset',
        'data_root': str(root),
        'ann_file': 'train.txt',
        'classes': list(map(str, range(CLASSES))),
        'pipeline': pipeline,
    }


def repeat_items(
    root: Path, side: int, pipeline: list[dict]
) -> dict[str, object]:
    """Return medians of :func:`measure_items` over new processes.

    Args:
        root: Folder of the inputs, ITEMS images of each origin.
        side: Side of the JPEGs in pixels.
        pipeline: Transforms of both data sets.
    """
    runs = []
    for _ in range(PROCESSES):
        with get_context('spawn').Pool(1) as pool:
            runs.append(pool.apply(measure_items, [root, side, pipeline]))
    ratios = sorted(round(ours / stock, 3) for stock, ours in runs)
    return {
        'stock': round(median(stock for stock, _ in runs), 1),
        'ours': round(median(ours for _, ours in runs), 1),
        'item_over_stock': median(ratios),
        'item_over_stock_all': ratios,
    }


def measure_items(
    root: Path, side: int, pipeline: list[dict]
) -> tuple[float, float]:
    """Return microseconds of an item, of stock's data set and of ours.

    Medians over passes that alternate. Half of our items are retrieved images.
    All images have one content.

    Args:
        root: Folder of the inputs, ITEMS images of each origin.
        side: Side of the JPEGs in pixels.
        pipeline: Transforms of both data sets.
    """
    jpeg = draw_jpeg(make_generator(2), side, side)
    with DefaultScope.overwrite_default_scope('mmpretrain'):
        target = describe_target(root, pipeline)
        stock = DATASETS.build(target)
        ours = TACKLEDataset(target, str(root / 'manifest.parquet'))
    for row in range(len(ours)):
        file = Path(ours.get_data_info(row)['img_path'])
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(jpeg)
    rows = {'stock': range(ITEMS), 'ours': range(0, 2 * ITEMS, 2)}

    def read(dataset: BaseDataset, rows: range) -> float:
        seed_libraries(0)  # equal crops
        start = time.process_time()
        for row in rows:
            dataset[row]
        return 1e6 * (time.process_time() - start) / ITEMS

    times: dict[str, list[float]] = {'stock': [], 'ours': []}
    for _ in range(PASSES):
        times['stock'].append(read(stock, rows['stock']))
        times['ours'].append(read(ours, rows['ours']))
    return median(times['stock']), median(times['ours'])


def measure(root: Path, retrieved: int) -> dict[str, float]:
    """Return times and memory of the inputs in ``root``."""
    with get_context('spawn').Pool(1) as pool:
        resident, buffers = pool.apply(
            measure_memory,
            [root / 'manifest.parquet', root / 'items' / 'manifest.parquet'],
        )
    target = describe_target(root, PLAIN)
    start = time.process_time()
    with DefaultScope.overwrite_default_scope('mmpretrain'):
        dataset = TACKLEDataset(target, str(root / 'manifest.parquet'))
    built = time.process_time()
    ClassBalancedSampler(dataset, seed=0)
    sampled = time.process_time()
    rows = make_generator(1).integers(len(dataset), size=10_000).tolist()
    # The fastest of several passes, since machines are shared.
    info_s = min(
        timeit.repeat(
            lambda: [dataset.get_data_info(row) for row in rows],
            timer=time.process_time,
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

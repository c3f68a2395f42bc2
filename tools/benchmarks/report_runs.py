"""Measurements of report.py."""

import argparse
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
from PIL import Image

from ltvl_mm.structures.features import Features, save_features
from ltvl_mm.structures.manifest import Manifest
from ltvl_mm.structures.manifest_file import save_manifest
from ltvl_mm.structures.predictions import Predictions, save_predictions
from ltvl_mm.utils.io import write_json
from ltvl_mm.utils.rng import make_generator

# What a reader waits for at most, and what is still mailed.
SECONDS, MEGABYTES = 60, 10
NAMES = tuple(f'class name {label}' for label in range(1000))


def run(args: argparse.Namespace) -> dict:
    """Return the results of the benchmark."""
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder)
        counts = (1280 * (5 / 1280) ** (np.arange(1000) / 999)).astype(int)
        write_json(root / 'counts.json', counts.tolist())
        for number in range(args.methods):
            write_run(root / f'method {number}', number, args.images)
        write_retrieval(root / 'retrieved', args.retrieved)
        start = time.monotonic()
        subprocess.run(
            [
                *(sys.executable, 'tools/report.py', folder),
                *('-o', root / 'report.html'),
                *('--class-counts', root / 'counts.json'),
                *('--manifest', root / 'retrieved/manifest.parquet'),
            ],
            check=True,
        )
        seconds = time.monotonic() - start
        size = (root / 'report.html').stat().st_size / 1e6
    return {
        'seconds': round(seconds, 1),
        'megabytes': round(size, 2),
        'seconds_over_limit': round(seconds / SECONDS, 3),
        'megabytes_over_limit': round(size / MEGABYTES, 3),
    }


def write_run(folder: Path, number: int, images: int) -> None:
    """Write predictions and features of a method, better ones later."""
    rng = make_generator(0, number)
    labels = np.arange(images) % len(NAMES)
    logits = rng.normal(size=(images, len(NAMES))).astype(np.float32)
    sure = np.flatnonzero(rng.random(images) < 0.4 + 0.1 * number)
    logits[sure, labels[sure]] += 6
    scores = np.exp(logits)
    scores /= scores.sum(1, keepdims=True)
    paths = tuple(f'val/{row:07d}.jpg' for row in range(images))
    predictions = Predictions(scores, labels, paths, NAMES)
    save_predictions(folder / 'test.npz', predictions)
    points = rng.normal(size=(images, 2048)).astype(np.float32)
    save_features(
        folder / 'features_test.npz', Features(points, labels, paths)
    )


def write_retrieval(folder: Path, total: int) -> None:
    """Write photo-sized JPEGs and their manifest."""
    rng = make_generator(1)
    each = total // len(NAMES)
    class_id = np.repeat(np.arange(len(NAMES)), each)
    rank = np.tile(np.arange(each), len(NAMES))
    files = [
        f'images/{k:05d}/{r:05d}.jpg'
        for k, r in zip(class_id, rank, strict=True)
    ]
    for label in range(len(NAMES)):
        (folder / f'images/{label:05d}').mkdir(parents=True)
    photo = folder / 'photo.jpg'
    for row, file in enumerate(files):
        if row % 500 == 0:  # a new picture now and then
            noise = rng.integers(255, size=(6, 8, 3)).astype(np.uint8)
            picture = Image.fromarray(noise)
            picture.resize((500, 375)).save(photo, quality=85)
        (folder / file).hardlink_to(photo)
        if row % 500 == 499:
            photo.unlink()
    photo.unlink(missing_ok=True)
    rows = len(files)
    manifest = Manifest(
        NAMES,
        class_id.astype(np.int32),
        rank.astype(np.int32),
        -rank.astype(float),
        np.full(rows, 0.3),
        tuple(f'{row:09d}' for row in range(rows)),
        tuple(files),
        ('what somebody wrote beside this image on the web',) * rows,
        {},
    )
    save_manifest(folder / 'manifest.parquet', manifest)

"""Stages of retrieval_at_scale.py."""

import argparse
import json
import shutil
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from dataset_start_runs import write_inputs
from mmengine.registry import DefaultScope
from retrieval_data import make_queries, make_store

from ltvl_mm.datasets.samplers import ClassBalancedSampler
from ltvl_mm.datasets.tackle import TACKLEDataset
from ltvl_mm.retrieval.dedup.image_traits import read_traits
from ltvl_mm.retrieval.dedup.near_duplicates import find_leaks
from ltvl_mm.retrieval.options import CopyRule
from ltvl_mm.retrieval.run_retrieval import run_retrieval
from ltvl_mm.retrieval.task import RetrievalOptions, RetrievalTask
from ltvl_mm.structures.embedding_store import EmbeddingStore
from ltvl_mm.structures.manifest_file import load_manifest
from ltvl_mm.structures.store_parts import METADATA, Part
from ltvl_mm.utils.hash_recipes import HASH_RECIPE
from ltvl_mm.utils.rng import make_generator

_TARGET = 115_846
# Rows of a part, as a tar of img2dataset has.
_PART = 10_000
# Held-out images that are an image of the collection: one in so many.
_COPIED = 100


def run(args: argparse.Namespace) -> dict:
    """Return the results of one stage, or of all, each in a process."""
    if args.stage:
        return run_stage(args)
    root = Path(args.work_dir)
    _describe(make_store(root / 'web', int(args.images)), 1)
    command = [sys.executable, *sys.argv, '--stage']
    found = {}
    for stage in args.stages:
        output = subprocess.run(
            [*command, stage], check=True, stdout=subprocess.PIPE, text=True
        ).stdout
        found[stage] = json.loads(output.splitlines()[-1])
        print(stage, found[stage], file=sys.stderr, flush=True)
    return found


def run_stage(args: argparse.Namespace) -> dict:
    """Run one stage; return what it found, its time and peak memory."""
    stages: dict[str, Callable[[argparse.Namespace, Path], dict]] = {
        'retrieve': _retrieve,
        'decontaminate': _decontaminate,
        'save': _save,
        'load': _load,
        'dataset': _make_dataset,
    }
    before, start = _read_peak(), time.perf_counter()
    found = stages[args.stage](args, Path(args.work_dir))
    peak = _read_peak()
    return found | {
        'seconds': round(time.perf_counter() - start, 1),
        'peak_mb': round(peak),
        'above_imports_mb': round(peak - before),
    }


def _read_peak() -> float:
    """Return the peak of resident memory in MB (Linux).

    Not that of ``getrusage``, which begins with the parent's peak.
    """
    status = Path('/proc/self/status').read_text(encoding='ascii')
    line = next(x for x in status.splitlines() if x.startswith('VmHWM:'))
    return int(line.split()[1]) / 1024


def _retrieve(args: argparse.Namespace, root: Path) -> dict:
    store = _describe(make_store(root / 'web', int(args.images)), 1)
    queries = make_queries(args.k)
    shutil.rmtree(root / 'retrieved', ignore_errors=True)
    task = RetrievalTask(
        store,
        queries,
        np.full(args.k, args.nk),
        [_describe(_take(store, min(len(store), 100_000)), 2)],
        RetrievalOptions(temperature=0.01, copy='none', max_rounds=0),
        verify=False,
    )
    manifest, rejected = run_retrieval(task, root / 'retrieved')
    return {
        'candidates': int(task.candidates.sum()),
        'retrieved': len(manifest),
        'near_duplicates': len(rejected),
    }


def _decontaminate(args: argparse.Namespace, root: Path) -> dict:
    store = _describe(make_store(root / 'web', int(args.images)), 1)
    count = min(int(args.n), len(store))
    held_out = _describe(_take(store, count), 2)
    leaks = find_leaks(
        read_traits(store, np.arange(count)), [held_out], CopyRule()
    )
    copied = sum(leak is not None for leak in leaks)
    return {'candidates': count, 'held_out': count, 'copies': copied}


def _save(args: argparse.Namespace, root: Path) -> dict:
    folder = root / 'manifest'
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    rows = int(args.rows)
    write_inputs(folder, _TARGET, rows)
    size = (folder / 'manifest.parquet').stat().st_size
    return {'rows': rows, 'file_mb': round(size / 2**20)}


def _load(args: argparse.Namespace, root: Path) -> dict:
    manifest = load_manifest(root / 'manifest' / 'manifest.parquet')
    return {'rows': len(manifest), 'kept_mb': round(_read_resident())}


def _make_dataset(args: argparse.Namespace, root: Path) -> dict:
    folder = root / 'manifest'
    target = {
        'type': 'CustomDataset',
        'data_root': str(folder),
        'ann_file': 'train.txt',
        'classes': [str(label) for label in range(1000)],
        'pipeline': [{'type': 'LoadImageFromFile'}, {'type': 'PackInputs'}],
    }
    with DefaultScope.overwrite_default_scope('mmpretrain'):
        dataset = TACKLEDataset(target, str(folder / 'manifest.parquet'))
    sampler = ClassBalancedSampler(dataset, seed=0)
    next(iter(sampler))
    return {'samples': len(dataset), 'kept_mb': round(_read_resident())}


def _read_resident() -> float:
    """Return the resident memory of this process in MB (Linux)."""
    status = Path('/proc/self/status').read_text(encoding='utf-8')
    fields = dict(line.split(':', 1) for line in status.splitlines())
    return int(fields['VmRSS'].split()[0]) / 1024


def _take(store: EmbeddingStore, count: int) -> EmbeddingStore:
    """Return the first parts of a store, about ``count`` rows."""
    parts = store.parts[: -(-count // _PART)]
    return replace(store, parts=parts)


def _describe(store: EmbeddingStore, seed: int) -> EmbeddingStore:
    """Return a store cut into parts, with metadata like an embedded tar's.

    Args:
        store: Store without metadata.
        seed: Number of the collection. One in 100 images of another
            collection has the digest and hash of the first one's image.
    """
    parts = []
    for whole in store.parts:
        matrix = np.load(whole.matrix, mmap_mode='r', allow_pickle=False)
        for first in range(0, whole.rows, _PART):
            number = len(parts)
            folder = whole.matrix.parents[1]
            piece = folder / f'pieces/emb_{number:05d}.npy'
            table = folder / f'pieces/metadata_{seed}_{number:05d}.parquet'
            some = matrix[first : first + _PART]
            if not piece.exists():
                piece.parent.mkdir(exist_ok=True)
                np.save(piece, some, allow_pickle=False)
            if not table.exists():
                _write_table(table, len(some), number, seed)
            parts.append(
                Part(
                    number,
                    f'{number:05d}',
                    len(some),
                    '',
                    (),
                    piece,
                    table,
                    hash_recipe=HASH_RECIPE,
                )
            )
    return replace(store, parts=tuple(parts))


def _write_table(file: Path, rows: int, number: int, seed: int) -> None:
    own = make_generator(3, number, seed)
    digests = [own.bytes(32).hex() for _ in range(rows)]
    hashes = own.integers(1 << 63, size=rows, dtype=np.uint64)
    if seed != 1:
        first = make_generator(3, number, 1)
        theirs = [first.bytes(32).hex() for _ in range(rows)]
        digests[::_COPIED] = theirs[::_COPIED]
        hashes[1::_COPIED] = first.integers(
            1 << 63, size=rows, dtype=np.uint64
        )[1::_COPIED]
    keys = [f'{number:05d}/{number:05d}{row:04d}' for row in range(rows)]
    columns = {
        'image_path': keys,
        'caption': [
            f'a caption of about sixty bytes, as the web has it, {row}'
            for row in range(rows)
        ],
        'url': [
            f'https://images.example.com/{seed}/{key}/a-photo-of-it.jpg'
            for key in keys
        ],
        'source': [f'/data/web/{number:05d}.tar'] * rows,
        'offset': np.arange(rows),
        'size': np.full(rows, 20_000),
        'sha256': digests,
        'phash': hashes,
    }
    table = pa.table(columns, schema=METADATA)
    pq.write_table(table, file, compression='zstd')

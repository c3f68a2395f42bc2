"""Measurements of store_check.py."""

import argparse
import sys
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from statistics import median

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import torch
from retrieval_data import make_queries, make_store

from ltvl_mm.retrieval.search.search_spec import SearchOptions
from ltvl_mm.retrieval.search.selection import Selection
from ltvl_mm.structures.embedding_store import EmbeddingStore
from ltvl_mm.structures.store_check import check_store
from ltvl_mm.structures.store_digests import digest_file
from ltvl_mm.structures.store_parts import COLUMNS


def run(args: argparse.Namespace) -> dict:
    """Return the results of the benchmark."""
    torch.set_num_threads(1)
    store = add_metadata(make_store(Path(args.work_dir), int(args.n)))
    queries = make_queries(args.k)

    def scan() -> None:
        budget = np.full(args.k, args.nk)
        selection = Selection(
            store, queries, budget, SearchOptions(temperature=0.01)
        )
        pool = selection.make_pool()
        selection.scan(pool)
        selection.finish(pool)

    runs = {
        'scan': scan,
        'verify': lambda: check_store(store),
        'keys': lambda: check_store(store, checksums=False),
    }
    seconds: dict[str, list[float]] = {name: [] for name in runs}
    for _ in range(args.repeats):
        for name, run in runs.items():
            seconds[name].append(measure(run))
            print(name, f'{seconds[name][-1]:.2f} CPU s', file=sys.stderr)
    found = {name: median(values) for name, values in seconds.items()}
    return {
        'rows': len(store),
        'classes': args.k,
        'threads': 1,
        'seconds': found,
        'verify_over_scan': found['verify'] / found['scan'],
        'keys_over_scan': found['keys'] / found['scan'],
    }


def add_metadata(store: EmbeddingStore) -> EmbeddingStore:
    """Return the store with metadata like an embedded tar's, and digests."""
    parts = []
    for part in store.parts:
        table = part.matrix.with_suffix('.parquet')
        if not table.exists():
            rng = np.random.default_rng(part.number)
            columns = {name: [None] * part.rows for name in COLUMNS.names}
            columns['image_path'] = [
                f'{part.number:05d}/{row:09d}' for row in range(part.rows)
            ]
            columns['sha256'] = [rng.bytes(32).hex() for _ in range(part.rows)]
            columns['phash'] = rng.integers(1 << 63, size=part.rows)
            columns['caption'] = [
                rng.bytes(20).hex() for _ in range(part.rows)
            ]
            pq.write_table(
                pa.table(columns, schema=COLUMNS), table, compression='zstd'
            )
        matrix_sha256, matrix_xxh3 = digest_file(part.matrix)
        table_sha256, table_xxh3 = digest_file(table)
        part = replace(
            part,
            table=table,
            matrix_sha256=matrix_sha256,
            table_sha256=table_sha256,
        )
        xxh3 = {'matrix_xxh3': matrix_xxh3, 'table_xxh3': table_xxh3}
        parts.append(replace(part, **xxh3))
    return replace(store, parts=tuple(parts))


def measure(run: Callable[[], object]) -> float:
    """Return the CPU seconds that a function takes."""
    start = time.process_time()
    run()
    return time.process_time() - start

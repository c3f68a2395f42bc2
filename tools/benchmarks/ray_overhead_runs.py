"""Measurements of ray_overhead.py."""

import argparse
import json
import os
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from statistics import median

import numpy as np
import ray
import torch
from embedding_runs import write_tars
from retrieval_data import make_queries, make_store

import ltvl_mm
from ltvl_mm.clip.towers import build_clip
from ltvl_mm.retrieval.dealing.local_engine import LocalEngine
from ltvl_mm.retrieval.dealing.ray_engine import RayEngine
from ltvl_mm.retrieval.search.selection import Selection
from ltvl_mm.retrieval.search.work_units import select_in_units

UNIT_ROWS = 50_000
TEMPERATURE = 0.01
BUDGET = 100
ENGINES = ('local', 'ray')


def run(args: argparse.Namespace) -> None:
    """Measure and print the results."""
    os.environ['RAY_USAGE_STATS_ENABLED'] = '0'
    start = time.perf_counter()
    ray.init(include_dashboard=False, logging_level='ERROR')
    cluster = time.perf_counter() - start
    with tempfile.TemporaryDirectory() as folder:
        found = {
            **vars(args),
            'cores': os.cpu_count(),
            'threads': torch.get_num_threads(),
            'cluster_start_s': cluster,
            **measure_embedding(args, Path(folder)),
            **measure_retrieval(args, Path(folder)),
        }
    print(json.dumps(found))


def measure_embedding(args: argparse.Namespace, work: Path) -> dict:
    """Return seconds of both engines, their ratio, and the start of Ray."""
    write_tars(work / 'small', args.images, args.tars)
    write_tars(work / 'large', 3 * args.images, 3 * args.tars)
    torch.manual_seed(0)
    torch.save(build_clip(args.arch).state_dict(), work / 'clip.pt')
    times: dict[tuple[str, str], list[float]] = {}
    for _ in range(args.repeats):
        for size in ('small', 'large'):
            for engine in ENGINES:

                def embed(size: str = size, engine: str = engine) -> None:
                    ltvl_mm.embed(
                        work / size,
                        Path(tempfile.mkdtemp(dir=work)) / 'store',
                        arch=args.arch,
                        pretrained=str(work / 'clip.pt'),
                        device='cpu',
                        batch_size=args.batch_size,
                        workers=1,
                        engine=engine,
                    )

                times.setdefault((size, engine), []).append(_time(embed))
    seconds = {key: median(some) for key, some in times.items()}
    more = {e: seconds['large', e] - seconds['small', e] for e in ENGINES}
    # A run is its start, and one or three times the small set of images.
    start = {e: seconds['small', e] - more[e] / 2 for e in ENGINES}
    return {
        'embedding_s': {f'{s} {e}': t for (s, e), t in seconds.items()},
        'embedding_whole_ratio': seconds['large', 'ray']
        / seconds['large', 'local'],
        'embedding_ratio': more['ray'] / more['local'],
        'embedding_start_s': start['ray'] - start['local'],
    }


def measure_retrieval(args: argparse.Namespace, work: Path) -> dict:
    """Return seconds of both engines and their ratio."""
    store = make_store(work / 'synthetic', args.rows, args.classes)
    selection = Selection(
        store,
        make_queries(args.classes),
        np.full(args.classes, BUDGET),
        temperature=TEMPERATURE,
    )
    engines = {'local': LocalEngine(), 'ray': RayEngine()}
    times: dict[str, list[float]] = {}
    results = {}
    for _ in range(args.repeats):
        for name, engine in engines.items():

            def select(name: str = name, engine: object = engine) -> None:
                results[name] = select_in_units(
                    selection,
                    Path(tempfile.mkdtemp(dir=work)),
                    unit_rows=UNIT_ROWS,
                    engine=engine,
                )

            times.setdefault(name, []).append(_time(select))
    for one, other in zip(results['local'], results['ray'], strict=True):
        assert np.array_equal(one.rows, other.rows)
        assert np.array_equal(one.scores, other.scores)
    seconds = {name: median(some) for name, some in times.items()}
    return {
        'retrieval_s': seconds,
        'retrieval_ratio': seconds['ray'] / seconds['local'],
    }


def _time(function: Callable[[], object]) -> float:
    start = time.perf_counter()
    function()
    return time.perf_counter() - start

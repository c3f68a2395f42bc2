"""Measurements of ray_overhead.py."""

import argparse
import os
import tempfile
import time
from collections.abc import Callable
from functools import partial
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
from ltvl_mm.retrieval.search.search_spec import SearchOptions
from ltvl_mm.retrieval.search.selection import Selection
from ltvl_mm.retrieval.search.work_units import select_in_units

UNIT_ROWS = 50_000
TEMPERATURE = 0.01
BUDGET = 100
ENGINES = ('local', 'ray')
CLOCKS = ('wall', 'cpu')


def run(args: argparse.Namespace) -> dict:
    """Return the results of the benchmark."""
    os.environ['RAY_USAGE_STATS_ENABLED'] = '0'
    # Workers of the same priority as the local engine; Ray's default is 15.
    os.environ['RAY_worker_niceness'] = '0'
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
    return found


def measure_embedding(args: argparse.Namespace, work: Path) -> dict:
    """Return seconds of both engines, their ratios, and the start of Ray."""
    write_tars(work / 'small', args.images, args.tars)
    write_tars(work / 'large', 3 * args.images, 3 * args.tars)
    torch.manual_seed(0)
    torch.save(build_clip(args.arch).state_dict(), work / 'clip.pt')

    def embed(size: str, engine: str) -> None:
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

    times: dict[tuple[str, str], list[tuple[float, float]]] = {}
    for _ in range(args.repeats):
        for size in ('small', 'large'):
            for engine in ENGINES:
                one = _time(partial(embed, size, engine))
                times.setdefault((size, engine), []).append(one)
    found: dict[str, object] = {}
    for place, clock in enumerate(CLOCKS):
        small, large = {}, {}
        for (size, engine), runs in times.items():
            medians = small if size == 'small' else large
            medians[engine] = median(one[place] for one in runs)
        more = {engine: large[engine] - small[engine] for engine in ENGINES}
        # A run is its start, and one or three times the small set of images.
        start = {
            engine: small[engine] - more[engine] / 2 for engine in ENGINES
        }
        found |= {
            f'embedding_small_{clock}_s': small,
            f'embedding_large_{clock}_s': large,
            f'embedding_whole_{clock}_ratio': large['ray'] / large['local'],
            f'embedding_{clock}_ratio': more['ray'] / more['local'],
            f'embedding_start_{clock}_s': start['ray'] - start['local'],
        }
    return found


def measure_retrieval(args: argparse.Namespace, work: Path) -> dict:
    """Return seconds of both engines and their ratios."""
    store = make_store(work / 'synthetic', args.rows, args.classes)
    selection = Selection(
        store,
        make_queries(args.classes),
        np.full(args.classes, BUDGET),
        SearchOptions(temperature=TEMPERATURE),
    )
    engines = {'local': LocalEngine(), 'ray': RayEngine()}
    results = {}

    def select(name: str) -> None:
        results[name] = select_in_units(
            selection,
            Path(tempfile.mkdtemp(dir=work)),
            unit_rows=UNIT_ROWS,
            engine=engines[name],
        )

    select('ray')  # starts the workers
    times: dict[str, list[tuple[float, float]]] = {}
    for _ in range(args.repeats):
        for name in engines:
            times.setdefault(name, []).append(_time(partial(select, name)))
    for one, other in zip(results['local'], results['ray'], strict=True):
        assert np.array_equal(one.rows, other.rows)
        assert np.array_equal(one.scores, other.scores)
    found: dict[str, object] = {}
    for place, clock in enumerate(CLOCKS):
        seconds = {
            name: median(one[place] for one in some)
            for name, some in times.items()
        }
        found[f'retrieval_{clock}_s'] = seconds
        found[f'retrieval_{clock}_ratio'] = seconds['ray'] / seconds['local']
    return found


def _time(function: Callable[[], object]) -> tuple[float, float]:
    """Return wall and CPU seconds of a call and of all child processes."""
    cpu, start = _read_cpu(os.getpid()), time.perf_counter()
    function()
    wall = time.perf_counter() - start
    time.sleep(1)  # ended processes count when their parent notices
    return wall, _read_cpu(os.getpid()) - cpu


def _read_cpu(pid: int) -> float:
    """Return CPU seconds of a process, its children, and those that ended."""
    try:
        text = Path(f'/proc/{pid}/stat').read_text()
        tasks = list(Path(f'/proc/{pid}/task').glob('*/children'))
        children = [int(c) for task in tasks for c in task.read_text().split()]
    except OSError:  # it has ended
        return 0.0
    # After the name in brackets: utime, stime, cutime and cstime.
    ticks = sum(map(int, text.rpartition(')')[2].split()[11:15]))
    own = ticks / os.sysconf('SC_CLK_TCK')
    return own + sum(_read_cpu(child) for child in children)

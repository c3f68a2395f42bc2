"""Measurements of retrieval.py."""

import argparse
import itertools
import multiprocessing
import os
import sys
import time
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path
from statistics import median

import numpy as np
import torch
from retrieval_answers import measure_faiss_recall, measure_match
from retrieval_data import make_queries, make_store
from retrieval_memory import measure_memory, print_peak

from ltvl_mm.retrieval.search.candidate_pool import CandidatePool
from ltvl_mm.retrieval.search.exact_ranking import Candidates
from ltvl_mm.retrieval.search.search_spec import SearchOptions
from ltvl_mm.retrieval.search.selection import Selection
from ltvl_mm.structures.class_queries import ClassQueries
from ltvl_mm.structures.embedding_store import EmbeddingStore
from ltvl_mm.utils.processor import has_amx

TEMPERATURE = 0.01
_LARGE_N = 2e7


def run(args: argparse.Namespace) -> dict | None:
    """Return the results; None if the peak of memory was printed instead."""
    torch.set_num_threads(1)
    rows = int(args.n)
    store = make_store(Path(args.work_dir), rows, 1000)
    queries = make_queries(args.k)
    if args.measure_memory:
        budget = np.full(args.k, args.nk)
        if args.measure_memory == 'floor':
            print_peak(lambda: _run_floor(store, queries))
        else:
            print_peak(lambda: _run_ours(store, queries, budget))
        return None
    results = {
        'device': 'cpu',
        'threads': 1,
        'n': rows,
        'k': args.k,
        'n_k': args.nk,
    }
    budget = np.full(args.k, args.nk)
    million = make_store(Path(args.work_dir), min(rows, 10**6), 1000)
    seconds, exact = _compare(million, queries, budget, args, dense=True)
    results['seconds_1e6'] = seconds
    results |= _find_ratios(seconds, '_1e6')
    results['dense_over_ours'] = seconds['dense'] / seconds['ours']
    results['exact_match_1e6'] = measure_match(
        million, queries, exact, TEMPERATURE
    )
    seconds = _compare_wall(million, queries, budget, args)
    results['processes'] = os.cpu_count()
    results['seconds_wall_1e6'] = seconds
    results['exact_over_gemm_wall_1e6'] = seconds['ours'] / seconds['floor']
    results['faiss_recall'] = measure_faiss_recall(
        million, queries, exact, args.nk
    )
    if rows > 10**6:
        seconds, exact = _compare(store, queries, budget, args)
        results['seconds'] = seconds
        results |= _find_ratios(seconds, '')
        results['exact_match'] = measure_match(
            store, queries, exact, TEMPERATURE
        )
    results['marginal_over_gemm'] = _measure_margin(
        store, queries, args, np.array([best.scores for best in exact])
    )
    wide = make_queries(8142)
    # n_k = 20 of 2e7 images are the best of a million.
    found = _run_ours(million, wide, np.full(8142, 1))
    best = np.array([each.scores for each in found])
    results['marginal_over_gemm_8142'] = _measure_margin(
        million, wide, args, best, rows=20_000
    )
    results['extra_memory_mb'] = measure_memory(args)
    return results


def _find_ratios(seconds: dict[str, float], suffix: str) -> dict[str, float]:
    names = {'ours': 'exact_over_gemm', 'ours_float32': 'float32_over_gemm'}
    return {
        f'{name}{suffix}': seconds[run] / seconds['floor']
        for run, name in names.items()
        if run in seconds
    }


def _run_floor(
    store: EmbeddingStore,
    queries: ClassQueries,
    start: int = 0,
    stop: int | None = None,
) -> None:
    weights = torch.from_numpy(queries.embeddings.T.copy())
    stop = len(store) if stop is None else stop
    for _, chunk in store.iterate(1024, start, stop, check=False):
        torch.from_numpy(chunk).float() @ weights


def _run_ours(
    store: EmbeddingStore,
    queries: ClassQueries,
    budget: np.ndarray,
    product: str = 'auto',
) -> list[Candidates]:
    selection = _make_selection(store, queries, budget, product)
    pool = selection.make_pool()
    selection.scan(pool)
    return selection.finish(pool)


def _make_selection(
    store: EmbeddingStore,
    queries: ClassQueries,
    budget: np.ndarray,
    product: str = 'auto',
) -> Selection:
    return Selection(
        store,
        queries,
        budget,
        SearchOptions(temperature=TEMPERATURE, product=product),
    )


def _run_dense(
    store: EmbeddingStore, queries: ClassQueries, budget: np.ndarray
) -> None:
    weights = torch.from_numpy(queries.embeddings.T.copy())
    scores = torch.empty(len(store), len(budget))
    for start, chunk in store.iterate(4096, check=False):
        logits = torch.from_numpy(chunk).float() @ weights / TEMPERATURE
        scores[start : start + len(chunk)] = logits.softmax(1)
    scores.topk(int(budget[0]), 0)


def _compare(
    store: EmbeddingStore,
    queries: ClassQueries,
    budget: np.ndarray,
    args: argparse.Namespace,
    *,
    dense: bool = False,
) -> tuple[dict[str, float], list[Candidates]]:
    found: list[Candidates] = []
    runs = {
        'floor': lambda: _run_floor(store, queries),
        'ours': lambda: found.extend(_run_ours(store, queries, budget)),
    }
    if has_amx():
        runs['ours_float32'] = lambda: _run_ours(
            store, queries, budget, 'float32'
        )
    if dense:
        runs['dense'] = lambda: _run_dense(store, queries, budget)
    seconds = {name: [] for name in runs}
    for _ in range(args.repeats):
        found.clear()
        for name, run in runs.items():
            seconds[name].append(_time(run))
            print(
                f'{len(store)} images, {name}: {seconds[name][-1]:.1f} CPU s',
                file=sys.stderr,
                flush=True,
            )
    return {name: median(values) for name, values in seconds.items()}, found


def _compare_wall(
    store: EmbeddingStore,
    queries: ClassQueries,
    budget: np.ndarray,
    args: argparse.Namespace,
) -> dict[str, float]:
    """Return wall seconds with one process per core, each on its share."""
    count = os.cpu_count()
    cuts = np.linspace(0, len(store), count + 1).astype(int).tolist()
    shares = list(itertools.pairwise(cuts))
    selection = _make_selection(store, queries, budget)
    seconds = {'floor': [], 'ours': []}
    with ProcessPoolExecutor(
        count,
        mp_context=multiprocessing.get_context('spawn'),
        initializer=_begin_worker,
        initargs=(args.work_dir, len(store), queries, budget),
    ) as pool:
        list(pool.map(_scan_share, [(0, 1)] * count))  # imports
        for _ in range(args.repeats):
            start = time.perf_counter()
            list(pool.map(_multiply_share, shares))
            seconds['floor'].append(time.perf_counter() - start)
            start = time.perf_counter()
            first, *others = pool.map(_scan_share, shares)
            for other in others:
                selection.merge(first, other)
            selection.finish(first)
            seconds['ours'].append(time.perf_counter() - start)
            print(
                f'{len(store)} images, {count} processes: product '
                f'{seconds["floor"][-1]:.1f} s, ours '
                f'{seconds["ours"][-1]:.1f} s',
                file=sys.stderr,
                flush=True,
            )
    return {name: median(values) for name, values in seconds.items()}


# What a worker process has: a store, class queries and budget.
_worker: dict[str, tuple] = {}


def _begin_worker(
    folder: str, rows: int, queries: ClassQueries, budget: np.ndarray
) -> None:
    torch.set_num_threads(1)
    _worker['task'] = (make_store(Path(folder), rows, 1000), queries, budget)


def _multiply_share(share: tuple[int, int]) -> None:
    store, queries, _ = _worker['task']
    _run_floor(store, queries, *share)


def _scan_share(share: tuple[int, int]) -> CandidatePool:
    selection = _make_selection(*_worker['task'])
    pool = selection.make_pool()
    selection.scan(pool, *share)
    return pool


def _time(run: Callable[[], object]) -> float:
    start = time.process_time()
    run()
    return time.process_time() - start


def _measure_margin(
    store: EmbeddingStore,
    queries: ClassQueries,
    args: argparse.Namespace,
    scores: np.ndarray,
    *,
    rows: int = 200_000,
) -> float:
    """Return what an image more costs, over its bare product."""
    rank = int(np.ceil(scores.shape[1] * len(store) / _LARGE_N))
    budget = np.full(len(scores), scores.shape[1])
    selection = _make_selection(store, queries, budget)
    selection.mixed = False
    selection.floor = scores[:, rank - 1]
    weights = torch.from_numpy(queries.embeddings.T.copy())

    def multiply() -> None:
        for _, chunk in store.iterate(1024, 0, rows, check=False):
            torch.from_numpy(chunk).float() @ weights

    ratios = []
    for _ in range(args.repeats):
        pool = selection.make_pool()
        ours = _time(lambda pool=pool: selection.scan(pool, 0, rows))
        ratios.append(ours / _time(multiply))
    return median(ratios)

"""Estimate the time of a retrieval before it starts."""

import time
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from ltvl_mm.retrieval.options import ASSIGN_ONCE
from ltvl_mm.retrieval.search.work_units import cut_units
from ltvl_mm.retrieval.task import RetrievalTask
from ltvl_mm.structures.store_files import map_matrix
from ltvl_mm.utils.io import check_claim
from ltvl_mm.utils.remote_paths import as_path
from ltvl_mm.utils.rng import make_generator

# Rows that are read one after the other when the rate is measured.
_RUN = 16_384
# Bytes of a candidate while candidates are sorted, and when copies are
# looked for: its key, URL and digest.
_POOL_BYTES = 4 * 17
_TRAITS_BYTES = 500
# Of Python, numpy and torch themselves.
_LIBRARIES = 350e6


@dataclass(frozen=True)
class RetrievalPlan:
    """Planned work and its estimated time.

    Args:
        rows: Rows of the store.
        kept: Share of the rows looked at that the filters keep.
        images: Wanted, of all classes.
        candidates: Looked at first, of all classes.
        units: That the store is read in.
        done: Units of the first pass that an earlier run has finished.
        bytes_left: To read of the embeddings.
        memory: Bytes, of the first rank, which needs most.
        rate: Rows per second of one process, measured here.
        seconds: For the first pass, of all ranks together.
        repeats: True if an image may be retrieved for several classes.
    """

    rows: int
    kept: float
    images: int
    candidates: int
    units: int
    done: int
    bytes_left: int
    memory: float
    rate: float
    seconds: float
    repeats: bool = False

    def describe(self) -> str:
        """Return the plan as lines of text."""
        return '\n'.join(
            [
                f'store       {self.rows} rows, of which the filters keep '
                f'about {100 * self.kept:.0f} %',
                f'wanted      {self.images} images, from {self.candidates} '
                f'candidates{self._compare_with_store()}',
                f'units       {self.units}, of which {self.done} are done',
                f'to read     {self.bytes_left / 1e9:.1f} GB',
                f'memory      about {self.memory / 1e9:.1f} GB',
                f'rate        {self.rate:.0f} rows/s in a process, measured',
                f'time        about {_spell_time(self.seconds)}, and as much '
                f'for each pass that replaces near-duplicates; copying '
                f'images comes on top',
            ]
        )

    def _compare_with_store(self) -> str:
        """Return a note if more images are wanted than the store has."""
        if self.images <= self.rows:
            return ''
        if self.repeats:
            effect = f'images will repeat under several classes; {ASSIGN_ONCE}'
        else:
            effect = 'classes will be short'
        return f'; the store has only {self.rows}: {effect}'


def plan_retrieval(
    task: RetrievalTask,
    out: str | Path,
    *,
    ranks: int = 1,
    patience: float = 5.0,
) -> RetrievalPlan:
    """Return the plan of a retrieval task.

    Writes nothing.

    Args:
        task: Retrieval task.
        out: Its folder.
        ranks: Processes that share the work.
        patience: Seconds that measuring the rate may take.

    Raises:
        ValueError: If ``out`` was begun with other classes, stores or
            options.
    """
    out = as_path(out)
    check_claim(out, task.describe())
    units = cut_units(task.store, task.unit_rows)
    first = out / 'selection' / '0'
    missing = [unit for unit in units if not unit.locate(first).exists()]
    if (out / 'manifest.parquet').exists():
        missing = []
    left = sum(unit.stop - unit.start for unit in missing)
    rate, kept = _measure(task, patience)
    candidates = int(np.minimum(task.candidates, len(task.store)).sum())
    return RetrievalPlan(
        rows=len(task.store),
        kept=kept,
        images=int(task.budget.sum()),
        candidates=candidates,
        units=len(units),
        done=len(units) - len(missing),
        bytes_left=left * _measure_row(task),
        memory=_estimate_memory(task, candidates),
        rate=rate,
        seconds=left / rate / min(ranks, max(len(missing), 1)),
        # The probabilities of an image sum to 1.
        repeats=task.options.assign == 'independent'
        and task.options.min_probability < 0.5,
    )


def _measure(task: RetrievalTask, patience: float) -> tuple[float, float]:
    """Return rows per second, and which share of them is kept."""
    selection = task.make_selection(task.candidates)
    pool, total = selection.make_pool(), len(task.store)
    starts = make_generator(0).permutation(np.arange(0, total, _RUN))
    rows, seconds, kept = [], [], []
    for start in starts:
        stop = min(int(start) + _RUN, total)
        # It reads tables, which is not part of the rate.
        if task.metadata_filter:
            kept.append(task.metadata_filter(int(start), stop).sum())
        begin = time.perf_counter()
        selection.scan(pool, int(start), stop)
        seconds.append(time.perf_counter() - begin)
        rows.append(stop - start)
        if sum(seconds) > patience:
            break
    # The first half finds its thresholds, and more passes.
    half = len(rows) // 2
    return (
        sum(rows[half:]) / sum(seconds[half:]),
        sum(kept) / sum(rows) if kept else 1.0,
    )


def _measure_row(task: RetrievalTask) -> int:
    part = next(part for part in task.store.parts if part.rows)
    return map_matrix(part.matrix)[0].nbytes


def _estimate_memory(task: RetrievalTask, candidates: int) -> float:
    classes, dim = task.queries.embeddings.shape
    if task.background is not None:
        classes += len(task.background.queries.class_names)
    return (
        _LIBRARIES
        + classes * dim * 8 * 4  # queries, and what prefilters keep
        + candidates * (_POOL_BYTES + _TRAITS_BYTES)
        + len(task.store) / 8 * bool(task.metadata_filter)
        + sum(min(len(other), 1 << 16) for other in task.excluded[:1])
        * dim
        * 8
    )


def _spell_time(seconds: float) -> str:
    for unit, size in (('h', 3600), ('min', 60)):
        if seconds >= size:
            return f'{seconds / size:.1f} {unit}'
    return f'{seconds:.0f} s'

"""Deal work to a Ray cluster, whose machines come and go."""

import os
from collections.abc import Sequence
from functools import partial
from typing import Any

import numpy as np
import ray
import torch

from ltvl_mm.retrieval.dealing.ray_encoders import EncoderPool
from ltvl_mm.retrieval.dealing.ray_tasks import (
    RETRIES,
    SharedObject,
    TaskQueue,
    count_resources,
    fetch_result,
)
from ltvl_mm.retrieval.reading.embedding_job import (
    EmbeddingJob,
    EmbeddingProgress,
)
from ltvl_mm.retrieval.search.candidate_pool import CandidatePool
from ltvl_mm.retrieval.search.scan_job import ScanJob, Unit
from ltvl_mm.structures.embedding_store import EmbeddingStore
from ltvl_mm.structures.store_check import PartCheck, check_parts
from ltvl_mm.structures.store_writer import remove_part_temporaries
from ltvl_mm.utils.progress import progress_bar

# Parts that one task checks.
_CHECKED_PARTS = 16


@ray.remote(num_cpus=1, max_retries=RETRIES, num_returns=2)
def _find(
    shared: SharedObject, unit: Unit, thresholds: np.ndarray
) -> tuple[CandidatePool, np.ndarray]:
    """Return the candidates of a unit and the thresholds they set."""
    job = shared.load()
    # Also where a lost pool is made again: its file may be there.
    if unit.locate(job.folder).exists():
        pool = job.load(unit)
    else:
        pool = job.scan(unit, thresholds)
    return pool, pool.thresholds


@ray.remote(num_cpus=1, max_retries=RETRIES, num_returns=2)
def _merge(
    shared: SharedObject, one: CandidatePool, other: CandidatePool
) -> tuple[CandidatePool, np.ndarray]:
    """Return the candidates of two pools and the thresholds they set."""
    shared.load().merge(one, other)
    return one, one.thresholds


@ray.remote(num_cpus=1, max_retries=RETRIES)
def _check(
    shared: SharedObject, numbers: Sequence[int], checksums: bool
) -> PartCheck:
    return check_parts(shared.load(), numbers, checksums=checksums)


class RayEngine:
    """Deals work to the workers of a Ray cluster.

    Args:
        address: Address of the cluster; ``'auto'`` for the one that this
            machine belongs to; None for the environment variable RAY_ADDRESS,
            else a cluster of this machine that ends with the engine.
        encoders: Maximum number of encoders; None for the GPUs of the
            cluster, else its CPUs by the threads of an encoder.
        device: Device of the encoders, ``'cpu'`` or ``'cuda'``; None for GPUs
            if the cluster has some.
    """

    def __init__(
        self,
        address: str | None = None,
        *,
        encoders: int | None = None,
        device: str | None = None,
    ) -> None:
        self.encoders = encoders
        self.device = device
        self.is_started = not ray.is_initialized()
        if self.is_started:
            # Ray reports usage to its authors unless it is told not to.
            os.environ.setdefault('RAY_USAGE_STATS_ENABLED', '0')
            try:
                ray.init(
                    address=address,
                    include_dashboard=False,
                    logging_level='ERROR',
                )
            except ConnectionError as error:
                raise ValueError(
                    f'there is no Ray cluster at address {address!r}: '
                    f'{error}; start one with `ray start --head`'
                ) from error

    def close(self) -> None:
        """Leave the cluster, unless the caller was connected before."""
        if self.is_started:
            ray.shutdown()

    def embed(self, job: EmbeddingJob, numbers: Sequence[int]) -> None:
        """Write the parts of some shards; return when all are written.

        Args:
            job: The shards.
            numbers: Indices of the shards to embed.
        """
        if not numbers:
            return
        gpus = count_resources('GPU')
        use_gpu = bool(gpus) if self.device is None else self.device != 'cpu'
        there = (
            gpus
            if use_gpu
            else count_resources('CPU') // torch.get_num_threads()
        )
        wanted = self.encoders or max(1, there)
        pool = EncoderPool(job, min(wanted, len(numbers)), use_gpu=use_gpu)
        with EmbeddingProgress(job.title, job.total, len(numbers)) as progress:
            for read, bad in pool.run(numbers):
                progress.add_batch(read, bad)
                progress.finish_shard()
        # Of workers that died while they wrote.
        remove_part_temporaries(job.out)

    def scan(self, job: ScanJob) -> CandidatePool | None:
        """Return the candidates of all units; None on ranks other than 0.

        Units are scanned by tasks. Pools of candidates are merged by tasks
        too, always two of one level, so that no process reads all of them.

        Args:
            job: Units that are done, and those to scan.
        """
        selection = job.selection
        pool = selection.make_pool()
        thresholds = pool.thresholds
        shared = SharedObject(job.make_constant())
        gpus = int(selection.prefilter.device.type == 'cuda')
        find = _find.options(num_gpus=gpus)

        def find_unit(unit: Unit) -> Any:  # noqa: ANN401
            # Called when the task starts: with the thresholds reached by then.
            return find.remote(shared, unit, thresholds)

        queue = TaskQueue()
        for unit in (*job.done, *job.missing):
            queue.add(
                f'rows {unit.start} to {unit.stop} of {selection.store.name}',
                partial(find_unit, unit),
                (0, unit.stop - unit.start),
            )
        levels: dict[int, list[Any]] = {}
        with progress_bar(
            total=len(selection.store), title=job.title, unit='img'
        ) as bar:
            for refs, reached, (level, rows) in queue:
                thresholds = np.maximum(thresholds, reached)
                bar.update(rows)
                same = levels.setdefault(level, [])
                same.append(refs[0])
                if len(same) == 2:
                    queue.add(
                        'merging candidates',
                        partial(_merge.remote, shared, *same),
                        (level + 1, 0),
                        first=True,
                    )
                    same.clear()
        for same in levels.values():
            for ref in same:
                job.merge(pool, fetch_result(ref, 'merging candidates'))
        return pool

    def check(
        self, store: EmbeddingStore, *, checksums: bool
    ) -> list[PartCheck] | None:
        """Check all parts of a store; return None on ranks other than 0.

        Args:
            store: The store.
            checksums: True to compare the files with their checksums.
        """
        shared = SharedObject(store)
        queue = TaskQueue()
        for start in range(0, len(store.parts), _CHECKED_PARTS):
            stop = min(start + _CHECKED_PARTS, len(store.parts))
            queue.add(
                f'checking parts {start} to {stop} of {store.name}',
                partial(_check.remote, shared, range(start, stop), checksums),
                sum(part.rows for part in store.parts[start:stop]),
            )
        checked = []
        with progress_bar(
            total=len(store), title=f'verify {store.root.name}', unit='img'
        ) as bar:
            for _, found, rows in queue:
                checked.append(found)
                bar.update(rows)
        return checked

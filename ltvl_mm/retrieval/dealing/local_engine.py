"""Deal work to this process, or to the ranks of a process group."""

from collections.abc import Sequence

import torch
from mmengine.dist import barrier, gather_object, get_dist_info
from torch.utils.data import DataLoader

from ltvl_mm.retrieval.reading.embedding_job import (
    EmbeddingJob,
    EmbeddingProgress,
)
from ltvl_mm.retrieval.search.candidate_pool import CandidatePool
from ltvl_mm.retrieval.search.scan_job import ScanJob
from ltvl_mm.structures.embedding_store import EmbeddingStore
from ltvl_mm.structures.store_check import PartCheck, check_parts
from ltvl_mm.utils.progress import progress_bar


class LocalEngine:
    """Each rank takes every n-th shard, unit or part.

    The ranks are those that torchrun or Slurm started; without them, this
    process does all.
    """

    def embed(self, job: EmbeddingJob, numbers: Sequence[int]) -> None:
        """Write the parts of some shards; return when all are written.

        Args:
            job: The shards.
            numbers: Indices of the shards to embed.
        """
        rank, ranks = get_dist_info()
        mine = numbers[rank::ranks]
        batches = job.decode(mine, workers=job.workers)
        workers = min(job.workers, len(batches.dealt))
        loader = DataLoader(
            batches,
            batch_size=None,
            num_workers=workers,
            prefetch_factor=job.prefetch if workers else None,
            pin_memory=torch.cuda.is_available(),
        )
        with EmbeddingProgress(job.title, job.total, len(mine)) as progress:
            job.write(loader, progress)
        barrier()

    def scan(self, job: ScanJob) -> CandidatePool | None:
        """Return the candidates of all units; None on ranks other than 0.

        Args:
            job: Units that are done, and those to scan.
        """
        rank, ranks = get_dist_info()
        pool = job.selection.make_pool()
        for unit in job.done:
            job.merge(pool, job.load(unit))
        mine = job.missing[rank::ranks]
        title = job.title
        with progress_bar(
            total=sum(unit.stop - unit.start for unit in mine),
            title=f'{title}, rank 0 of {ranks}' if ranks > 1 else title,
            unit='img',
            silent=rank > 0,
        ) as bar:
            for unit in mine:
                # Start from the thresholds that finished units have reached.
                job.merge(pool, job.scan(unit, pool.thresholds, bar.update))
        barrier()
        if rank > 0:
            return None
        for unit in job.missing:
            if unit not in mine:
                job.merge(pool, job.load(unit))
        return pool

    def check(
        self, store: EmbeddingStore, *, checksums: bool
    ) -> list[PartCheck] | None:
        """Check all parts of a store; return None on ranks other than 0.

        Args:
            store: The store.
            checksums: True to compare the files with their checksums.
        """
        rank, ranks = get_dist_info()
        mine = range(rank, len(store.parts), ranks)
        with progress_bar(
            total=sum(store.parts[number].rows for number in mine),
            title=f'verify {store.root.name}',
            unit='img',
            silent=rank > 0,
        ) as bar:
            checked = check_parts(
                store, mine, checksums=checksums, progress=bar.update
            )
        return gather_object(checked)

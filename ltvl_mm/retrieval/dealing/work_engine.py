"""Interface of the engines that deal work to processes."""

from collections.abc import Sequence
from typing import Protocol

from ltvl_mm.retrieval.reading.embedding_job import EmbeddingJob
from ltvl_mm.retrieval.search.candidate_pool import CandidatePool
from ltvl_mm.retrieval.search.scan_job import ScanJob
from ltvl_mm.structures.embedding_store import EmbeddingStore
from ltvl_mm.structures.store_check import PartCheck

ENGINES = ('local', 'ray')


class WorkEngine(Protocol):
    """Deals shards, units and parts to processes.

    Engines differ in where work runs, never in its result. Whole shards and
    units are dealt, so that what dies costs no more than those it had.
    """

    def embed(self, job: EmbeddingJob, numbers: Sequence[int]) -> None:
        """Write the parts of some shards; return when all are written.

        Args:
            job: The shards.
            numbers: Indices of the shards to embed.
        """

    def scan(self, job: ScanJob) -> CandidatePool | None:
        """Return the candidates of all units; None on ranks other than 0.

        Args:
            job: Units that are done, and those to scan.
        """

    def check(
        self, store: EmbeddingStore, *, checksums: bool
    ) -> list[PartCheck] | None:
        """Check all parts of a store; return None on ranks other than 0.

        Args:
            store: The store.
            checksums: True to compare the files with their checksums.
        """

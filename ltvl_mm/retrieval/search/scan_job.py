"""Scan the units of a store and merge what is found."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from ltvl_mm.retrieval.search.candidate_pool import (
    CandidatePool,
    load_pool,
    save_pool,
)
from ltvl_mm.retrieval.search.selection import Selection


@dataclass(frozen=True)
class Unit:
    """Rows that are scanned as one piece of work.

    Args:
        start: First row.
        stop: End row, exclusive.
    """

    start: int
    stop: int

    def locate(self, folder: Path) -> Path:
        """Return the file of the candidates found in the unit."""
        return folder / f'{self.start:012d}_{self.stop:012d}.npz'


@dataclass(frozen=True)
class ScanJob:
    """Search for the candidates of a store's units, in any process.

    Args:
        selection: Search to run.
        folder: Folder of the units' candidates, which all processes see.
        done: Units whose candidates are in the folder.
        missing: Units to scan.
        title: Title of the progress bar.
    """

    selection: Selection
    folder: Path
    done: tuple[Unit, ...]
    missing: tuple[Unit, ...]
    title: str

    def make_constant(self) -> 'ScanJob':
        """Return the job without its units."""
        return replace(self, done=(), missing=())

    def load(self, unit: Unit) -> CandidatePool:
        """Return the candidates of a unit that is done."""
        return load_pool(unit.locate(self.folder))

    def scan(
        self,
        unit: Unit,
        thresholds: np.ndarray,
        progress: Callable[[int], object] = lambda rows: None,
    ) -> CandidatePool:
        """Scan a unit and save its candidates.

        Args:
            unit: Rows to scan.
            thresholds: (K,) scores that finished units have reached.
            progress: Called with the number of rows of each chunk.
        """
        found = self.selection.make_pool()
        found.raise_floor(thresholds)
        self.selection.scan(found, unit.start, unit.stop, progress=progress)
        save_pool(unit.locate(self.folder), found)
        return found

    def merge(self, pool: CandidatePool, other: CandidatePool) -> None:
        """Take the candidates of ``other``, of other rows, into ``pool``."""
        self.selection.merge(pool, other)

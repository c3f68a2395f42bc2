"""A selection in units: kept on the disk, shared by processes."""

from dataclasses import dataclass
from pathlib import Path

from mmengine.dist import barrier, get_dist_info

from ltvl_mm.retrieval.options import UNIT_ROWS
from ltvl_mm.retrieval.search.candidate_pool import load_pool, save_pool
from ltvl_mm.retrieval.search.exact_ranking import Candidates
from ltvl_mm.retrieval.search.selection import Selection
from ltvl_mm.structures.embedding_store import EmbeddingStore
from ltvl_mm.utils.io import check_or_write_settings
from ltvl_mm.utils.launch import broadcast_object
from ltvl_mm.utils.progress import progress_bar
from ltvl_mm.version import __version__


@dataclass(frozen=True)
class Unit:
    """Rows that are looked at as one.

    Args:
        start: The first row.
        stop: The last but one.
    """

    start: int
    stop: int

    def locate(self, folder: Path) -> Path:
        """Return the file of what was found in it."""
        return folder / f'{self.start:012d}_{self.stop:012d}.npz'


def cut_units(store: EmbeddingStore, rows: int = UNIT_ROWS) -> list[Unit]:
    """Cut a store into units of whole parts, and larger parts into units.

    Args:
        store: N rows.
        rows: Most rows of a unit, >= 1.

    Raises:
        ValueError: If ``rows`` is less than 1.
    """
    if rows < 1:
        raise ValueError(f'a unit must have at least 1 row, got {rows}')
    units: list[Unit] = []
    start = end = 0
    for part in store.parts:
        if end > start and end + part.rows > start + rows:
            units.append(Unit(start, end))
            start = end
        end += part.rows
        while end > start + rows:
            units.append(Unit(start, start + rows))
            start += rows
    return [*units, Unit(start, end)] if end > start else units


def select_in_units(
    selection: Selection,
    folder: Path,
    *,
    unit_rows: int = UNIT_ROWS,
    title: str = 'select',
) -> list[Candidates] | None:
    """Return the best images of each class, going on with what is done.

    What is found in a unit is written when it is done, so that a kill costs
    at most the units under way. The ranks of a process group share what is
    missing, so that the next start, with as many or others, takes over what
    a dead one left.

    Args:
        selection: Search to run.
        folder: For the units; all ranks see it.
        unit_rows: Most rows of a unit; of two kills, the same.
        title: Title of the progress bar.

    Returns:
        The candidates on rank 0, None on the others.

    Raises:
        ValueError: If ``folder`` was begun with another budget or other
            units.
    """
    rank, ranks = get_dist_info()
    units = cut_units(selection.store, unit_rows)
    missing = None
    if rank == 0:
        _claim(folder, selection, unit_rows)
        missing = [unit for unit in units if not unit.locate(folder).exists()]
    missing = broadcast_object(missing)
    pool = selection.make_pool()
    for unit in units:
        if unit not in missing:
            selection.merge(pool, load_pool(unit.locate(folder)))
    mine = missing[rank::ranks]
    with progress_bar(
        total=sum(unit.stop - unit.start for unit in mine),
        title=f'{title}, rank 0 of {ranks}' if ranks > 1 else title,
        unit='img',
        silent=rank > 0,
    ) as bar:
        for unit in mine:
            found = selection.make_pool()
            # Start from the thresholds that finished units have reached.
            found.raise_floor(pool.thresholds)
            selection.scan(found, unit.start, unit.stop, progress=bar.update)
            save_pool(unit.locate(folder), found)
            selection.merge(pool, found)
    barrier()
    if rank > 0:
        return None
    for unit in missing:
        if unit not in mine:
            selection.merge(pool, load_pool(unit.locate(folder)))
    return selection.finish(pool)


def _claim(folder: Path, selection: Selection, unit_rows: int) -> None:
    check_or_write_settings(
        folder,
        {
            'budget': selection.budget.tolist(),
            'unit_rows': unit_rows,
            'version': __version__,
        },
    )

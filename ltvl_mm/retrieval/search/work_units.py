"""Selection in units, which are kept on the disk and shared."""

from pathlib import Path

from mmengine.dist import get_rank

from ltvl_mm.retrieval.dealing.local_engine import LocalEngine
from ltvl_mm.retrieval.dealing.work_engine import WorkEngine
from ltvl_mm.retrieval.options import UNIT_ROWS
from ltvl_mm.retrieval.search.exact_ranking import Candidates
from ltvl_mm.retrieval.search.scan_job import ScanJob, Unit
from ltvl_mm.retrieval.search.selection import Selection
from ltvl_mm.structures.embedding_store import EmbeddingStore
from ltvl_mm.utils.io import check_or_write_settings
from ltvl_mm.utils.launch import broadcast_object
from ltvl_mm.version import __version__


def cut_units(store: EmbeddingStore, rows: int = UNIT_ROWS) -> list[Unit]:
    """Cut a store into units of whole parts, and larger parts into units.

    Args:
        store: N rows.
        rows: Maximum rows of a unit, >= 1.

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
    engine: WorkEngine | None = None,
) -> list[Candidates] | None:
    """Return the best images of each class, resuming with finished units.

    The candidates of a unit are written when it is done, so that a kill costs
    at most the units under way. An engine deals the missing units; the next
    start, with any engine, takes over what a dead one left.

    Args:
        selection: Search to run.
        folder: Folder of the units' candidates; all processes see it.
        unit_rows: Maximum rows per work unit. Keep it unchanged when resuming.
        title: Title of the progress bar.
        engine: Engine that deals the units to processes; None for those of
            this machine or process group. It does not change the result.

    Returns:
        The candidates on rank 0, None on the others.

    Raises:
        ValueError: If ``folder`` was begun with another budget or other
            units.
    """
    units = cut_units(selection.store, unit_rows)
    missing = None
    if get_rank() == 0:
        _claim(folder, selection, unit_rows)
        missing = [unit for unit in units if not unit.locate(folder).exists()]
    missing = broadcast_object(missing)
    left = set(missing)
    done = [unit for unit in units if unit not in left]
    job = ScanJob(selection, folder, tuple(done), tuple(missing), title)
    pool = (engine or LocalEngine()).scan(job)
    return None if pool is None else selection.finish(pool)


def _claim(folder: Path, selection: Selection, unit_rows: int) -> None:
    check_or_write_settings(
        folder,
        {
            'budget': selection.budget.tolist(),
            'unit_rows': unit_rows,
            'version': __version__,
        },
    )

"""From a store and class queries to a folder that students train on."""

from pathlib import Path

import numpy as np
from mmengine.dist import get_rank

from ltvl_mm.retrieval.choice import ImageChoice, Rejected
from ltvl_mm.retrieval.dealing.work_engine import WorkEngine
from ltvl_mm.retrieval.dedup.near_duplicate_pictures import write_copy_pictures
from ltvl_mm.retrieval.preconditions import check_stores
from ltvl_mm.retrieval.retrieval_report import make_report
from ltvl_mm.retrieval.retrieved_folder import write_folder
from ltvl_mm.retrieval.search.exact_ranking import Candidates
from ltvl_mm.retrieval.search.index_search import load_index, select_by_index
from ltvl_mm.retrieval.search.selection import Selection
from ltvl_mm.retrieval.search.work_units import select_in_units
from ltvl_mm.retrieval.shortage import explain_nothing
from ltvl_mm.retrieval.task import RetrievalTask
from ltvl_mm.structures.manifest import Manifest
from ltvl_mm.structures.manifest_file import load_manifest
from ltvl_mm.utils.io import (
    check_or_write_settings,
    read_json,
    remove_folder,
    write_json,
)
from ltvl_mm.utils.launch import broadcast_object
from ltvl_mm.utils.lock import locks_output
from ltvl_mm.utils.remote_paths import as_path


@locks_output('out')
def run_retrieval(
    task: RetrievalTask,
    out: str | Path,
    *,
    engine: WorkEngine | None = None,
) -> tuple[Manifest, list[Rejected]]:
    """Write ``images/``, ``manifest.parquet`` and ``report.json`` to ``out``.

    The images are copied out of the files of web images, so that training
    needs only the folder: ``images/<class>/<rank>.<suffix>``. ``copies/`` has
    pictures of skipped near-duplicates of test images. The manifest is written
    last; where an earlier run has finished, it is read instead. A
    killed run resumes with the units of the store that are done, and the
    ranks of a process group share them; the bytes are the same for any.

    Args:
        task: Retrieval task.
        out: Folder; all ranks see it.
        engine: Engine that deals parts and units to processes; None for those
            of this machine or process group. It does not change the result.

    Raises:
        ValueError: If the web images or a file of a store has changed, a key
            is missing or repeated, no image is left for any class, or
            ``out`` was begun with other classes, stores or options.
    """
    out, first = as_path(out), get_rank() == 0
    if first:
        check_or_write_settings(out, task.describe())
    if not broadcast_object(
        (out / 'manifest.parquet').exists()
    ):  # written last
        excluded_skipped = check_stores(task, engine)
        choice = _choose_images(task, out / 'selection', engine)
        choice.excluded_skipped = excluded_skipped
        reason = None
        if first:
            rows_filter = task.metadata_filter
            refused = rows_filter.count_filtered_out() if rows_filter else {}
            report = make_report(
                choice,
                task.queries.class_names,
                refused,
                assign=task.options.assign,
                min_probability=task.options.min_probability,
                by_index=task.index is not None,
                background_names=task.num_background,
            )
            report['temperature'] = task.options.temperature
            report['temperature_source'] = task.temperature_source
            write_json(out / 'report.json', report)
            rejected = [
                entry for entries in choice.rejected for entry in entries
            ]
            write_copy_pictures(out, rejected, task.store, task.excluded)
            reason = explain_nothing(report)
            if reason is None:
                write_folder(out, task, choice.chosen)
        reason = broadcast_object(reason)
        if reason is not None:
            raise ValueError(reason)
    if first:
        remove_folder(out / 'selection')
    report = read_json(out / 'report.json')
    return load_manifest(out / 'manifest.parquet'), [
        Rejected(**entry) for entry in report['rejected']
    ]


def _choose_images(
    task: RetrievalTask, folder: Path, engine: WorkEngine | None
) -> ImageChoice:
    """Return the choice, which is made on rank 0."""
    choice = ImageChoice(
        task.store,
        task.budget,
        excluded=task.excluded,
        duplicates=task.options.duplicates,
        exclude=task.options.exclude,
        lowest_score=task.lowest_score,
        min_precision=task.options.min_precision or 0.0,
    )
    asked = task.candidates
    for turn in range(task.options.max_rounds + 1):
        selection = task.make_selection(asked)
        found = _find_candidates(task, selection, folder, turn, engine)
        if found is not None:
            choice.consider(asked, found)
            choice.skipped = np.union1d(choice.skipped, selection.skipped)
        short = broadcast_object(choice.find_short())
        if not len(short):
            break
        # Theirs alone: what the others have does not change.
        more = np.zeros_like(asked)
        more[short] = np.minimum(2 * asked[short], len(task.store))
        asked = more
    return choice


def _find_candidates(
    task: RetrievalTask,
    selection: Selection,
    folder: Path,
    turn: int,
    engine: WorkEngine | None,
) -> list[Candidates] | None:
    """Return the candidates of K classes on rank 0, None on the others."""
    if task.index is None:
        return select_in_units(
            selection,
            folder / str(turn),
            unit_rows=task.unit_rows,
            title=f'search again for {np.count_nonzero(selection.budget)} '
            f'classes, '
            f'pass {turn}'
            if turn
            else 'select',
            engine=engine,
        )
    if get_rank() > 0:
        return None
    index = load_index(task.index, task.store)
    return select_by_index(
        selection,
        index,
        task.options.index_factor,
        parameters=task.options.index_parameters,
    )

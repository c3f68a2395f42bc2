"""Check all that a retrieval reads before its first scan."""

import numpy as np
from mmengine.dist import get_rank
from mmengine.logging import print_log

from ltvl_mm.retrieval.dealing.local_engine import LocalEngine
from ltvl_mm.retrieval.dealing.work_engine import WorkEngine
from ltvl_mm.retrieval.task import RetrievalTask
from ltvl_mm.structures.embedding_store import EmbeddingStore
from ltvl_mm.structures.store_check import (
    check_unique_keys,
    find_unrecorded,
)
from ltvl_mm.structures.store_decoder import describe_old_decoder
from ltvl_mm.structures.store_files import spell_column
from ltvl_mm.structures.store_rows import check_bad_rows, find_bad_rows
from ltvl_mm.utils.launch import broadcast_object


def check_stores(
    task: RetrievalTask, engine: WorkEngine | None = None
) -> list[np.ndarray]:
    """Check files and keys of the searched and of the excluded stores.

    An engine deals the parts to processes.

    Args:
        task: The retrieval; ``verify`` decides whether files are compared
            with their recorded checksums.
        engine: Engine that deals the parts; None for the processes of this
            machine or process group.

    Returns:
        For each excluded store, its rows whose embedding cannot be used.

    Raises:
        ValueError: If a file differs from its record, a key is missing or
            repeated, or too many rows of an excluded store cannot be used;
            on all ranks.
    """
    if not task.verify:
        print_log(
            'the stores are not verified: a changed file gives wrong images '
            'without a message',
            'current',
            level=30,
        )
    if get_rank() == 0:
        _warn_of_decoders(task)
        _warn_of_hash_recipes(task)
    for store in (task.store, *task.excluded):
        unrecorded = find_unrecorded(store) if task.verify else None
        if unrecorded is not None and get_rank() == 0:
            print_log(unrecorded, 'current', level=30)
        _check_store(store, engine or LocalEngine(), verify=task.verify)
    bad_rows = [find_bad_rows(store) for store in task.excluded]
    for store, rows in zip(task.excluded, bad_rows, strict=True):
        check_bad_rows(store, rows, task.max_bad_rows)
    return bad_rows


def _warn_of_decoders(task: RetrievalTask) -> None:
    stores = (task.store, *task.excluded)
    roots = [root for store in stores for root in (store.root, *store.others)]
    for root in dict.fromkeys(roots):
        arch = task.store.encoder.get('arch', 'ARCH')
        warning = describe_old_decoder(root, arch)
        if warning is not None:
            print_log(warning, 'current', level=30)


def _warn_of_hash_recipes(task: RetrievalTask) -> None:
    """Log which stores have perceptual hashes that are not comparable."""
    homes: dict[str, dict[str, None]] = {}
    for store in (task.store, *task.excluded):
        parts = [part for part in store.parts if part.rows]
        # Stores of other programs have no hashes.
        if spell_column(store.find_columns(parts[0]), 'phash') is None:
            continue
        for part in parts:
            homes.setdefault(part.hash_recipe, {})[store.name] = None
    if len(homes) < 2:
        return
    found = '; '.join(
        f'{recipe!r}: {", ".join(folders)}'
        for recipe, folders in sorted(homes.items())
    )
    print_log(
        f'the stores have perceptual hashes of {len(homes)} recipes, which '
        f'are not comparable ({found}). Near-duplicates between them are '
        f'recognized by the cosine alone, at the higher threshold for images '
        f'without hashes. To compare hashes as well, embed the older stores '
        f'again with tools/embed_images.py into a new folder',
        'current',
        level=30,
    )


def _check_store(
    store: EmbeddingStore, engine: WorkEngine, *, verify: bool
) -> None:
    found = engine.check(store, checksums=verify) or []  # on rank 0
    error = next((part.error for part in found if part.error), None)
    if error is None and get_rank() == 0:
        hashes = {k: v for part in found for k, v in part.hashes.items()}
        try:
            check_unique_keys(store, hashes)
        except ValueError as repeated:
            error = str(repeated)
    error = broadcast_object(error)
    if error is not None:
        raise ValueError(error)

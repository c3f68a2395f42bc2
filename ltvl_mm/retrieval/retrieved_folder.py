"""The folder that students train on: images, and what each one is."""

from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import torch

from ltvl_mm.retrieval.image_copies import (
    RetrievedImages,
    copy_images,
    pack_images,
)
from ltvl_mm.retrieval.reading.download_list import open_download_list
from ltvl_mm.retrieval.search.exact_ranking import Candidates
from ltvl_mm.retrieval.task import RetrievalTask
from ltvl_mm.structures.manifest_file import (
    ROW_GROUP,
    make_manifest_table,
    open_manifest,
)
from ltvl_mm.structures.packed_images import open_packed_index
from ltvl_mm.structures.store_rows import gather_columns
from ltvl_mm.version import __version__

# Images whose names are Python strings at a time.
_NAMES = 1 << 16


def write_folder(
    out: Path, task: RetrievalTask, chosen: Sequence[Candidates]
) -> None:
    """Write the chosen images of each class, and ``manifest.parquet`` last.

    Images that mmpretrain's loader would read differently than embedding did
    are encoded again, see
    :func:`~ltvl_mm.utils.image_conversion.convert_for_training`; the others
    are copied byte for byte. Images that are not copied are listed in
    ``download.parquet``, which img2dataset reads; see
    :func:`ltvl_mm.retrieval.reading.placed_downloads.place_downloads`.

    Holds the texts of one row group of the manifest at a time.

    Raises:
        ValueError: If the web images have changed.
    """
    images, copy = RetrievedImages(chosen), task.options.copy
    if copy == 'folder':
        copy_images(task.store, images, out)
    elif copy == 'tar':
        offsets, sizes = pack_images(task.store, images, out)
    numbers = {
        name: np.concatenate([getattr(best, f'{name}s') for best in chosen])
        for name in ('score', 'cosine')
    }
    with ExitStack() as files:
        # Opened first, so that it is the last to appear.
        manifest = files.enter_context(
            open_manifest(
                out / 'manifest.parquet',
                task.queries.class_names,
                _describe_source(task, images.counts),
            )
        )
        if copy == 'tar':
            index = files.enter_context(open_packed_index(out))
        elif copy == 'none':
            downloads = files.enter_context(open_download_list(out))
        for first in range(0, max(len(images), 1), ROW_GROUP):
            some = slice(first, min(first + ROW_GROUP, len(images)))
            columns = _read_texts(task, images, some)
            columns |= {name: numbers[name][some] for name in numbers}
            columns['class_id'] = images.label[some]
            columns['rank'] = images.rank[some]
            manifest.write_table(make_manifest_table(columns, manifest.schema))
            if copy == 'tar':
                index.add(columns['file'], offsets[some], sizes[some])
            elif copy == 'none':
                recipes = task.store.find_hash_recipes(images.rows[some])
                columns['hash_recipe'] = pa.array(recipes, pa.string())
                downloads.add(columns)


def _read_texts(
    task: RetrievalTask, images: RetrievedImages, some: slice
) -> dict[str, pa.Array | np.ndarray]:
    """Return the columns that are texts, and those of a download list."""
    names = ['image_path', 'caption', 'source']
    if task.options.copy == 'none':
        names += ['url', 'sha256', 'phash']
    table = gather_columns(task.store, images.rows[some], names)
    columns = {name: table[name].combine_chunks() for name in names}
    columns['key'] = columns.pop('image_path')
    columns['caption'] = pc.fill_null(columns['caption'], '')
    source = columns.pop('source')
    files = [pa.array([], pa.string())]
    for first in range(0, len(source), _NAMES):
        sources = source.slice(first, _NAMES).to_pylist()
        indices = range(some.start + first, some.stop)
        files.append(
            pa.array(
                [
                    images.get_name(index, text)
                    for index, text in zip(indices, sources, strict=False)
                ],
                pa.string(),
            )
        )
    columns['file'] = pa.concat_arrays(files)
    return columns


def _describe_source(task: RetrievalTask, counts: list[int]) -> dict:
    source = task.describe()
    del source['class_names']  # stand beside it
    source['rows_in_store'] = len(task.store)
    if task.temperature_source is not None:
        # Not part of settings.json: a folder that an earlier version began
        # resumes, and the same number from elsewhere gives the same images.
        source['temperature_source'] = task.temperature_source
    return source | {
        'counts': counts,
        'versions': {
            'ltvl_mm': __version__,
            'numpy': np.__version__,
            'torch': torch.__version__,
        },
    }

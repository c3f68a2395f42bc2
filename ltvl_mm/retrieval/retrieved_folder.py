"""The folder that students train on: images, and what each one is."""

from collections.abc import Iterator
from pathlib import Path, PurePosixPath

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import torch

from ltvl_mm.retrieval.exact_ranking import Candidates
from ltvl_mm.retrieval.tar_format import write_tar
from ltvl_mm.retrieval.task import RetrievalTask
from ltvl_mm.retrieval.web_image import read_bytes
from ltvl_mm.structures.manifest import Manifest, save_manifest
from ltvl_mm.utils.image_decoding import IMAGE_SUFFIXES
from ltvl_mm.utils.io import atomic_write, hash_file
from ltvl_mm.utils.progress import progress_bar
from ltvl_mm.utils.temporaries import explain_write_errors
from ltvl_mm.version import __version__

_COLUMNS = (
    'image_path',
    'caption',
    'url',
    'source',
    'offset',
    'size',
    'sha256',
)


def write_folder(
    out: Path, task: RetrievalTask, chosen: list[Candidates]
) -> None:
    """Write the chosen images of each class, and ``manifest.parquet`` last.

    Images that are not copied are listed in ``download.parquet``, which
    img2dataset reads.

    Raises:
        ValueError: If the web memory has changed.
    """
    rows = np.concatenate([best.rows for best in chosen])
    metadata = task.store.read_metadata(rows, _COLUMNS)
    manifest = _build_manifest(task, chosen, metadata)
    if task.options.copy == 'folder':
        _copy_images(rows, metadata, manifest, out)
    elif task.options.copy == 'tar':
        _pack_images(rows, metadata, manifest, out)
    else:
        _list_downloads(metadata, manifest, out)
    save_manifest(out / 'manifest.parquet', manifest)


def _build_manifest(
    task: RetrievalTask, chosen: list[Candidates], metadata: dict[str, list]
) -> Manifest:
    counts = [len(best.rows) for best in chosen]
    rank = np.concatenate([np.arange(n) for n in counts])
    label = np.repeat(np.arange(len(chosen)), counts)
    source = task.describe()
    del source['class_names']  # stand beside it
    return Manifest(
        class_names=task.queries.class_names,
        class_id=label.astype(np.int32),
        rank=rank.astype(np.int32),
        score=np.concatenate([best.scores for best in chosen]),
        cosine=np.concatenate([best.cosines for best in chosen]),
        key=tuple(metadata['image_path']),
        file=tuple(
            f'images/{k:05d}/{r:05d}{_find_suffix(file or "")}'
            for k, r, file in zip(label, rank, metadata['source'], strict=True)
        ),
        caption=tuple(text or '' for text in metadata['caption']),
        source=source
        | {
            'counts': counts,
            'versions': {
                'ltvl_mm': __version__,
                'numpy': np.__version__,
                'torch': torch.__version__,
            },
        },
    )


def _find_suffix(source: str) -> str:
    """Keep a file's suffix if it is an image's; decoders go by content."""
    suffix = PurePosixPath(source).suffix.lower()
    return suffix if suffix.lstrip('.') in IMAGE_SUFFIXES else '.jpg'


def _copy_images(
    rows: np.ndarray, metadata: dict[str, list], manifest: Manifest, out: Path
) -> None:
    """Copy the original bytes, in the order they lie on the disk."""
    with progress_bar(total=len(rows), title='copy images', unit='img') as bar:
        for place in np.argsort(rows, kind='stable'):
            bar.update()
            file = out / manifest.file[place]
            sha256 = metadata['sha256'][place]
            # Not atomic: a killed run may have left a part of it.
            if file.exists() and hash_file(file) == sha256:
                continue
            data = _read_image(metadata, place)
            with explain_write_errors(file):
                file.parent.mkdir(parents=True, exist_ok=True)
                file.write_bytes(data)


def _pack_images(
    rows: np.ndarray, metadata: dict[str, list], manifest: Manifest, out: Path
) -> None:
    """Write the original bytes to images.tar, which unpacks to images/."""
    with (
        progress_bar(total=len(rows), title='pack images', unit='img') as bar,
        atomic_write(out / 'images.tar') as file,
    ):

        def read_all() -> Iterator[tuple[str, bytes]]:
            for place in np.argsort(rows, kind='stable'):
                yield manifest.file[place], _read_image(metadata, place)
                bar.update()

        write_tar(file, read_all())


def _read_image(metadata: dict[str, list], place: int) -> bytes:
    names = ('source', 'offset', 'size', 'sha256')
    return read_bytes(*(metadata[name][place] for name in names))


def _list_downloads(
    metadata: dict[str, list], manifest: Manifest, out: Path
) -> None:
    table = pa.table(
        {
            'url': pa.array(metadata['url'], pa.string()),
            'caption': manifest.caption,
            'key': manifest.key,
            'file': manifest.file,
        }
    )
    with atomic_write(out / 'download.parquet') as file:
        pq.write_table(table, file, compression='zstd')

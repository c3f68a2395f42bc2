"""The folder that students train on: images, and what each one is."""

import hashlib
import logging
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path, PurePosixPath

import numpy as np
import torch
from mmengine.logging import print_log

from ltvl_mm.retrieval.reading.download_list import write_download_list
from ltvl_mm.retrieval.reading.tar_format import write_tar
from ltvl_mm.retrieval.reading.web_image import read_image_bytes
from ltvl_mm.retrieval.search.exact_ranking import Candidates
from ltvl_mm.retrieval.task import RetrievalTask
from ltvl_mm.structures.manifest import Manifest
from ltvl_mm.structures.manifest_file import save_manifest
from ltvl_mm.structures.packed_images import TAR, save_packed_images
from ltvl_mm.utils.image_conversion import convert_for_training
from ltvl_mm.utils.image_decoding import IMAGE_SUFFIXES
from ltvl_mm.utils.io import atomic_write, hash_file
from ltvl_mm.utils.progress import progress_bar
from ltvl_mm.utils.remote_calls import map_ahead
from ltvl_mm.utils.remote_paths import is_remote
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
    'phash',
)
# Images whose keys a message lists.
_SHOWN = 3


def write_folder(
    out: Path, task: RetrievalTask, chosen: list[Candidates]
) -> None:
    """Write the chosen images of each class, and ``manifest.parquet`` last.

    Images that mmpretrain's loader would read differently than embedding did
    are encoded again, see
    :func:`~ltvl_mm.utils.image_conversion.convert_for_training`; the others
    are copied byte for byte. Images that are not copied are listed in
    ``download.parquet``, which img2dataset reads; see
    :func:`ltvl_mm.retrieval.reading.placed_downloads.place_downloads`.

    Raises:
        ValueError: If the web images have changed.
    """
    rows = np.concatenate([best.rows for best in chosen])
    metadata = task.store.read_metadata(rows, _COLUMNS)
    manifest = _build_manifest(task, chosen, metadata)
    if task.options.copy == 'folder':
        manifest = _copy_images(rows, metadata, manifest, out)
    elif task.options.copy == 'tar':
        manifest = _pack_images(rows, metadata, manifest, out)
    else:
        recipes = task.store.find_hash_recipes(rows)
        write_download_list(out, manifest, metadata, recipes.tolist())
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
) -> Manifest:
    """Write the images in their order on the disk; return the final names."""
    converter = _Converter(manifest)
    with progress_bar(total=len(rows), title='copy images', unit='img') as bar:
        for place in np.argsort(rows, kind='stable'):
            bar.update()
            is_copied, data = _find_image(
                out / manifest.file[place], metadata, place
            )
            name, final = converter.convert(place, data)
            if is_copied and final == data:
                continue
            file = out / name
            if is_remote(file):
                with atomic_write(file) as remote:
                    remote.write(final)
                continue
            with explain_write_errors(file):
                file.parent.mkdir(parents=True, exist_ok=True)
                file.write_bytes(final)
    return converter.finish()


def _find_image(
    file: Path, metadata: dict[str, list], place: int
) -> tuple[bool, bytes]:
    """Return whether an image was copied before, and its bytes."""
    sha256 = metadata['sha256'][place]
    if is_remote(file):  # uploads are whole: one request tells
        try:
            data = file.read_bytes()
        except FileNotFoundError:
            return False, _read_image(metadata, place)
        if hashlib.sha256(data).hexdigest() == sha256:
            return True, data
    # Not atomic: a killed run may have left a part of an image. Its checksum
    # tells whether it is whole and as in the source.
    elif file.exists() and hash_file(file) == sha256:
        return True, file.read_bytes()
    return False, _read_image(metadata, place)


def _pack_images(
    rows: np.ndarray, metadata: dict[str, list], manifest: Manifest, out: Path
) -> Manifest:
    """Write images.tar, which unpacks to images/, and its index.

    Returns:
        The manifest with the final names.
    """
    converter = _Converter(manifest)
    places = np.argsort(rows, kind='stable')
    sizes = np.zeros(len(rows), np.int64)
    with (
        progress_bar(total=len(rows), title='pack images', unit='img') as bar,
        atomic_write(out / TAR) as file,
    ):

        def read_all() -> Iterator[tuple[str, bytes]]:
            images = _read_images(metadata, places.tolist())
            for place, data in zip(places.tolist(), images, strict=True):
                name, final = converter.convert(place, data)
                sizes[place] = len(final)
                yield name, final
                bar.update()

        offsets = np.zeros(len(rows), np.int64)
        offsets[places] = write_tar(file, read_all())
    manifest = converter.finish()
    save_packed_images(out, manifest, offsets, sizes)
    return manifest


class _Converter:
    """Converts the images of a manifest and keeps their new names."""

    def __init__(self, manifest: Manifest) -> None:
        self.manifest = manifest
        self.files = list(manifest.file)
        self.converted: list[str] = []
        self.broken: list[str] = []

    def convert(self, row: int, data: bytes) -> tuple[str, bytes]:
        """Return file name and bytes of the image in a row."""
        key = self.manifest.key[row]
        try:
            data, suffix = convert_for_training(data)
        except ValueError as error:
            # Embedded by an older version or by another program.
            self.broken.append(f'{key} ({error})')
            return self.files[row], data
        if suffix is not None:
            self.converted.append(key)
            name = PurePosixPath(self.files[row]).with_suffix(suffix)
            self.files[row] = str(name)
        return self.files[row], data

    def finish(self) -> Manifest:
        """Log what was converted; return the manifest with the new names."""
        if self.converted:
            _log_first(
                'images were encoded again, because mmpretrain would read '
                'them differently than embedding did',
                self.converted,
                logging.INFO,
            )
        if self.broken:
            _log_first(
                'images cannot be decoded and were copied unchanged; training '
                'replaces them by others of their class',
                self.broken,
                logging.WARNING,
            )
        return replace(self.manifest, file=tuple(self.files))


def _log_first(text: str, names: list[str], level: int) -> None:
    first = ', '.join(names[:_SHOWN])
    more = ', ...' if len(names) > _SHOWN else ''
    print_log(f'{len(names)} {text}: {first}{more}', 'current', level=level)


def _read_images(
    metadata: dict[str, list], places: Sequence[int]
) -> Iterator[bytes]:
    """Yield the bytes of images; those in remote tars are read ahead."""
    sources = {metadata['source'][place] or '' for place in places}

    def read(place: int) -> bytes:
        return _read_image(metadata, place)

    # Rows of a parquet file are read in order, by one reader.
    ahead = all(is_remote(s) and not s.endswith('.parquet') for s in sources)
    return map_ahead(read, places) if ahead else map(read, places)


def _read_image(metadata: dict[str, list], place: int) -> bytes:
    names = ('source', 'offset', 'size', 'sha256')
    return read_image_bytes(*(metadata[name][place] for name in names))

"""Copies of retrieved images: a folder or a tar that students train on."""

import hashlib
import logging
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

import numpy as np
from mmengine.logging import print_log

from ltvl_mm.retrieval.reading.tar_format import write_tar
from ltvl_mm.retrieval.reading.web_image import read_image_bytes
from ltvl_mm.retrieval.search.exact_ranking import Candidates
from ltvl_mm.structures.embedding_store import EmbeddingStore
from ltvl_mm.structures.packed_images import TAR
from ltvl_mm.utils.image_conversion import convert_for_training
from ltvl_mm.utils.image_decoding import list_image_suffixes
from ltvl_mm.utils.io import atomic_write, hash_file
from ltvl_mm.utils.progress import progress_bar
from ltvl_mm.utils.remote_calls import map_ahead
from ltvl_mm.utils.remote_paths import is_remote
from ltvl_mm.utils.temporaries import explain_write_errors

# Images whose places in files are held at a time: 40 MB.
_IMAGES = 1 << 16
# Images whose keys a message lists.
_SHOWN = 3
# Suffixes of images that are encoded again; the first stands for none.
_SUFFIXES = ('', '.jpg', '.png')


class RetrievedImages:
    """Rows and file names of M images, sorted by class, then rank.

    Names are spelt when they are needed: those of ten million images would
    take 0.8 GB.

    Args:
        chosen: Images of each of K classes, best first.
    """

    def __init__(self, chosen: Sequence[Candidates]) -> None:
        self.counts = [len(best.rows) for best in chosen]
        self.rows = np.concatenate([best.rows for best in chosen])
        self.label = np.repeat(
            np.arange(len(chosen), dtype=np.int32), self.counts
        )
        self.rank = np.concatenate(
            [np.arange(count, dtype=np.int32) for count in self.counts]
        )
        self._suffix = np.zeros(len(self.rows), np.uint8)

    def __len__(self) -> int:
        return len(self.rows)

    def get_name(self, index: int, source: str | None) -> str:
        """Return the path of an image in the folder of the manifest.

        Args:
            index: Index of the image.
            source: File that holds it in the collection; None if unknown.
        """
        suffix = _SUFFIXES[self._suffix[index]] or _find_suffix(source or '')
        label, rank = self.label[index], self.rank[index]
        return f'images/{label:05d}/{rank:05d}{suffix}'

    def set_suffix(self, index: int, suffix: str) -> None:
        """Set the suffix of an image that was encoded again."""
        self._suffix[index] = _SUFFIXES.index(suffix)


def copy_images(
    store: EmbeddingStore, images: RetrievedImages, out: Path
) -> None:
    """Copy the images to ``out/images``, in the order of the store.

    What an earlier call has copied is kept. Objects in a remote folder are
    compared and uploaded several at a time.

    Raises:
        ValueError: If the web images have changed.
    """
    copy = _upload_block if is_remote(out) else _copy_block
    converter = _Converter(images)
    with progress_bar(
        total=len(images), title='copy images', unit='img'
    ) as bar:
        for block in _read_places(store, images):
            for _ in copy(block, converter, out):
                bar.update()
    converter.log()


def pack_images(
    store: EmbeddingStore, images: RetrievedImages, out: Path
) -> tuple[np.ndarray, np.ndarray]:
    """Write images.tar, which unpacks to images/, in the order of the store.

    Returns:
        First byte and number of bytes of each image, (M,) int64.

    Raises:
        ValueError: If the web images have changed.
    """
    converter = _Converter(images)
    sizes, offsets = np.zeros((2, len(images)), np.int64)
    order: list[np.ndarray] = [np.empty(0, np.int64)]
    with (
        progress_bar(
            total=len(images), title='pack images', unit='img'
        ) as bar,
        atomic_write(out / TAR) as file,
    ):

        def read_all() -> Iterator[tuple[str, bytes]]:
            for block in _read_places(store, images):
                order.append(np.array([image.index for image in block]))
                for image, data in zip(block, _read_block(block), strict=True):
                    name, final = converter.convert(image, data)
                    sizes[image.index] = len(final)
                    yield name, final
                    bar.update()

        starts = write_tar(file, read_all())
        offsets[np.concatenate(order)] = starts
    converter.log()
    return offsets, sizes


@dataclass(frozen=True, slots=True)
class _StoredImage:
    """Index of a retrieved image, and its place in the collection."""

    index: int
    key: str
    source: str | None
    offset: int | None
    size: int | None
    sha256: str | None

    def read(self) -> bytes:
        return read_image_bytes(
            self.source, self.offset, self.size, self.sha256
        )


def _read_places(
    store: EmbeddingStore, images: RetrievedImages
) -> Iterator[list[_StoredImage]]:
    """Yield blocks of images in the order of the store."""
    names = ('image_path', 'source', 'offset', 'size', 'sha256')
    order = np.argsort(images.rows, kind='stable')
    for first in range(0, len(order), _IMAGES):
        some = order[first : first + _IMAGES]
        metadata = store.read_metadata(images.rows[some], names)
        columns = [metadata[name] for name in names]
        yield [
            _StoredImage(*values)
            for values in zip(some.tolist(), *columns, strict=True)
        ]


def _read_block(block: Sequence[_StoredImage]) -> Iterator[bytes]:
    """Yield the bytes of images; those in remote tars are read ahead."""
    ahead = _has_no_parquet(block) and all(
        is_remote(image.source or '') for image in block
    )
    read = _StoredImage.read
    return map_ahead(read, block) if ahead else map(read, block)


def _has_no_parquet(block: Iterable[_StoredImage]) -> bool:
    # Rows of a parquet file are read in order, by one reader.
    return not any(
        (image.source or '').endswith('.parquet') for image in block
    )


def _copy_block(
    block: Sequence[_StoredImage], converter: '_Converter', out: Path
) -> Iterator[None]:
    """Copy images to a local folder; yield after each."""
    for image in block:
        file = out / converter.images.get_name(image.index, image.source)
        # Not atomic: a killed run may have left a part of an image. Its
        # checksum tells whether it is whole and as in the source.
        is_copied = file.exists() and hash_file(file) == image.sha256
        data = file.read_bytes() if is_copied else image.read()
        name, final = converter.convert(image, data)
        if not (is_copied and final == data):
            file = out / name
            with explain_write_errors(file):
                file.parent.mkdir(parents=True, exist_ok=True)
                file.write_bytes(final)
        yield


def _upload_block(
    block: Sequence[_StoredImage], converter: '_Converter', out: Path
) -> Iterator[None]:
    """Copy images to a remote folder, several at a time; yield after each."""

    def find(image: _StoredImage) -> tuple[bool, bytes]:
        """Return whether an image was uploaded before, and its bytes."""
        file = out / converter.images.get_name(image.index, image.source)
        try:
            data = file.read_bytes()  # uploads are whole
        except FileNotFoundError:
            return False, image.read()
        if hashlib.sha256(data).hexdigest() == image.sha256:
            return True, data
        return False, image.read()

    def convert_all() -> Iterator[tuple[Path, bytes] | None]:
        for image, (is_copied, data) in zip(block, found, strict=True):
            name, final = converter.convert(image, data)
            known = is_copied and final == data
            yield None if known else (out / name, final)

    found = (
        map_ahead(find, block) if _has_no_parquet(block) else map(find, block)
    )
    yield from map_ahead(_upload, convert_all())


def _upload(work: tuple[Path, bytes] | None) -> None:
    if work is not None:
        path, data = work
        with atomic_write(path) as file:
            file.write(data)


class _Converter:
    """Converts images for training and keeps their new names."""

    def __init__(self, images: RetrievedImages) -> None:
        self.images = images
        self._converted = _Listing()
        self._broken = _Listing()

    def convert(self, image: _StoredImage, data: bytes) -> tuple[str, bytes]:
        """Return file name and bytes of an image."""
        try:
            data, suffix = convert_for_training(data)
        except ValueError as error:
            # Embedded by an older version or by another program.
            self._broken.add(f'{image.key} ({error})')
            suffix = None
        if suffix is not None:
            self._converted.add(image.key)
            self.images.set_suffix(image.index, suffix)
        return self.images.get_name(image.index, image.source), data

    def log(self) -> None:
        """Log what was converted."""
        self._converted.log(
            'images were encoded again, because mmpretrain would read them '
            'differently than embedding did',
            logging.INFO,
        )
        self._broken.log(
            'images cannot be decoded and were copied unchanged; training '
            'replaces them by others of their class',
            logging.WARNING,
        )


class _Listing:
    """Number of images, and the first of their names."""

    def __init__(self) -> None:
        self.count = 0
        self.first: list[str] = []

    def add(self, name: str) -> None:
        self.count += 1
        if len(self.first) < _SHOWN:
            self.first.append(name)

    def log(self, text: str, level: int) -> None:
        if self.count:
            more = ', ...' if self.count > _SHOWN else ''
            print_log(
                f'{self.count} {text}: {", ".join(self.first)}{more}',
                'current',
                level=level,
            )


def _find_suffix(source: str) -> str:
    """Keep a file's suffix if it is an image's; decoders go by content."""
    suffix = PurePosixPath(source).suffix.lower()
    return suffix if suffix.lstrip('.') in list_image_suffixes() else '.jpg'

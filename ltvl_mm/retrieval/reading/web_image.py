"""Image bytes with key, caption and location."""

import hashlib
from dataclasses import dataclass, field

from ltvl_mm.retrieval.reading.parquet_rows import read_row
from ltvl_mm.utils.image_decoding import MAX_FILE_BYTES
from ltvl_mm.utils.regular_files import read_part_of_file

# Larger members of tars and parquet files are listed as not readable.
MAX_IMAGE_BYTES = 64 << 20
# Reason for the missing bytes of an image that another worker reads.
NOT_WANTED = 'read by another worker'


@dataclass(frozen=True)
class WebImage:
    """An image as found, not yet decoded.

    Args:
        key: Key, unique among all web images.
        data: Bytes of the image file; None when ``reason`` is given.
        caption: Caption; '' if there is none.
        url: URL; '' if unknown.
        source: File that holds the bytes.
        offset: Offset of the first byte in ``source``; in a parquet file, the
            row.
        reason: Reason for missing bytes; None if there are bytes.
        known: Metadata for filters, by the names of FILTER_COLUMNS.
    """

    key: str
    data: bytes | None
    caption: str = ''
    url: str = ''
    source: str = ''
    offset: int = 0
    reason: str | None = None
    known: dict[str, int | float | str] = field(default_factory=dict)


def read_image_bytes(
    source: str | None,
    offset: int | None,
    size: int | None,
    sha256: str | None,
) -> bytes:
    """Read the bytes of an image from its file and check their hash.

    Args:
        source: Path of the file that contains the image: an image, tar or
            parquet file.
        offset: Offset of the first byte; in a parquet file, the row.
        size: Number of bytes.
        sha256: Hex digest of the bytes when they were embedded.

    Raises:
        ValueError: If an argument is None, as for stores of other programs,
            the file is missing, or its bytes have changed.
    """
    if source is None or offset is None or size is None or sha256 is None:
        raise ValueError(
            'the store does not say where its images lie: it lacks source, '
            'offset, size or sha256, which tools/embed_images.py writes'
        )
    try:
        if size > MAX_FILE_BYTES:
            raise ValueError(
                f'the store says that an image in {source} has {size:,} '
                f'bytes; at most {MAX_FILE_BYTES:,} are read'
            )
        data = _read_bytes(source, offset, size)
    except OSError as error:
        raise ValueError(
            f'the web images have changed: {source}: {error.strerror}'
        ) from None
    if hashlib.sha256(data).hexdigest() != sha256:
        raise ValueError(
            f'the web images have changed: {source} has other bytes from '
            f'{offset} on'
        )
    return data


def _read_bytes(source: str, offset: int, size: int) -> bytes:
    if source.lower().endswith('.parquet'):
        return read_row(source, offset)
    return read_part_of_file(source, offset, size)


def escape_text(text: str) -> str:
    """Spell out what UTF-8 cannot hold: halves of pairs, foreign bytes."""
    return text.encode('utf-8', 'backslashreplace').decode('utf-8')

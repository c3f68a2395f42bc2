"""Image decoding: bytes of an image file to 8-bit RGB pixels.

Embedding, decontamination, the copies of retrieved images, reports and
``ltvl_mm.LoadImage`` all decode with this module, so that the encoder and the
student see the same pixels.
"""

import io
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path

import numpy as np
from PIL import Image, ImageOps, UnidentifiedImageError

from ltvl_mm.utils.regular_files import read_regular

# Embedding stores record this number. Increase it whenever the pixels of some
# image change, and describe these images in DECODER_CHANGES.
DECODER_VERSION = 2
# Version -> images that all earlier versions decoded differently.
DECODER_CHANGES = {
    2: '16-bit grayscale, 32-bit integer and float images (clipped to 8 bits, '
    'mostly white or black), and images of 2, 4 or 16 bits per sample with a '
    'transparent color'
}

# 100 megapixels: five times a good camera; a "bomb" is far above.
MAX_PIXELS = 100_000_000
# One pixel wide and 60,000 high is small, until its short side is scaled to
# 224: then it takes 9 GB.
MAX_ASPECT = 100
# A 16-bit RGB TIFF of 100 megapixels has 600 MB.
MAX_FILE_BYTES = 1 << 30

# Formats that Pillow decodes itself. Left out: formats for which Pillow starts
# an external program (EPS and PS start Ghostscript) or that hold images of any
# other format (IPTC, ...), documents, fonts and scientific containers. TGA has
# no signature, so it is tried last.
_CANDIDATES = (
    'JPEG',
    'PNG',
    'WEBP',
    'GIF',
    'BMP',
    'TIFF',
    'AVIF',
    'JPEG2000',
    'PPM',
    'QOI',
    'PCX',
    'SGI',
    'DIB',
    'TGA',
)
_TIFF_BITS_PER_SAMPLE = 258
_EXIF_ORIENTATION = 0x0112
_UPRIGHT = 1
_PNG_SIGNATURE = b'\x89PNG\r\n\x1a\n'


@cache
def list_raster_formats() -> tuple[str, ...]:
    """Return the formats that images are decoded from.

    Pass them as ``formats`` to every ``Image.open``: without the argument,
    Pillow goes by content and runs Ghostscript for an EPS file named .jpg.

    The first call imports Pillow's plugins, which takes 0.04 CPU seconds or
    more; a training that lists no folder needs none of them at its start.
    """
    Image.init()
    return tuple(name for name in _CANDIDATES if name in Image.OPEN)


@cache
def list_image_suffixes() -> frozenset[str]:
    """Return the suffixes of image files, in lower case without dot.

    MPO (a JPEG with several frames) is opened as JPEG.
    """
    formats = (*list_raster_formats(), 'MPO')
    return frozenset(
        suffix.removeprefix('.')
        for suffix, name in Image.registered_extensions().items()
        if name in formats
    )


def decode_image(
    data: bytes,
    *,
    max_pixels: int = MAX_PIXELS,
    draft_side: int | None = None,
) -> Image.Image:
    """Decode the first frame to 8-bit RGB, upright, on white.

    Transparent pixels are blended with white. Palettes are looked up; CMYK
    and YCbCr become RGB without a color profile. EXIF orientation is applied.

    Deeper samples are scaled to 8 bits:

    - 16-bit grayscale (PNG, TIFF, PGM, JPEG 2000): ``v / 257``, rounded;
      12-bit TIFF: ``v / 4095 * 255``.
    - 16-bit RGB: Pillow keeps the high byte, at most 1 below ``v / 257``.
    - 32-bit integers, which have no defined range: as 8-bit if all values lie
      in [0, 255], as 16-bit if all lie in [0, 65535], otherwise the range of
      the values is stretched to [0, 255].
    - Floats: ``255 v`` if all values lie in [0, 1], as they are if all lie in
      [0, 255], otherwise the range is stretched to [0, 255].

    Args:
        data: Bytes of a file in a format of :func:`list_raster_formats`.
        max_pixels: Maximum number of pixels; larger images are refused before
            they are decoded.
        draft_side: Side in pixels that a thumbnail needs: a JPEG is decoded
            to a smaller size, faster, if both sides stay at least twice as
            large. None decodes the full size.

    Raises:
        ValueError: If the bytes are empty, no image, cut short, too large,
            one side is more than MAX_ASPECT times the other, or a float
            image has values that are not finite.
    """
    with open_image(data, max_pixels=max_pixels) as image:
        if draft_side is not None:
            image.draft('RGB', (2 * draft_side, 2 * draft_side))
        return _convert_to_rgb(
            image, _find_max_sample(image, data), _find_clear_scale(data)
        )


def read_image(
    path: str | Path, *, draft_side: int | None = None
) -> Image.Image:
    """Read an image file and decode it as :func:`decode_image` does.

    Args:
        path: The file.
        draft_side: Side in pixels that a thumbnail needs; None decodes the
            full size.

    Raises:
        OSError: If the file cannot be read.
        ValueError: If it is not a regular file, or cannot be decoded; the
            message names it.
    """
    data = read_regular(path, max_bytes=MAX_FILE_BYTES)
    try:
        return decode_image(data, draft_side=draft_side)
    except ValueError as error:
        raise ValueError(f'{path}: {error}') from None


@contextmanager
def open_image(
    data: bytes, *, max_pixels: int = MAX_PIXELS
) -> Iterator[Image.Image]:
    """Open an image, check its size, and close it; pixels are not read yet.

    Whatever Pillow raises inside the ``with`` block becomes a ValueError.

    Args:
        data: Bytes of the file.
        max_pixels: Maximum number of pixels.

    Raises:
        ValueError: See :func:`decode_image`.
    """
    if not data:
        raise ValueError('empty file')
    try:
        with Image.open(
            io.BytesIO(data), formats=list_raster_formats()
        ) as image:
            _check_size(image, max_pixels)
            yield image
    except ValueError:
        raise
    except UnidentifiedImageError:  # its text names a memory address
        raise ValueError('no known image format') from None
    # Pillow's decoders raise OSError, SyntaxError, struct.error, zlib.error,
    # DecompressionBombError, IndexError, ... on hostile bytes.
    except Exception as error:  # noqa: BLE001
        raise ValueError(
            f'not decodable: {type(error).__name__}: {error!s:.120}'
        ) from None


def has_transparency(image: Image.Image) -> bool:
    """Return whether an opened image has an alpha channel or a clear color."""
    return (
        image.mode in ('RGBA', 'LA', 'PA', 'RGBa', 'La')
        or 'transparency' in image.info
    )


def is_16_bit_png(data: bytes) -> bool:
    """Return whether the header of a PNG file states 16 bits per sample."""
    return data[:8] == _PNG_SIGNATURE and data[24:25] == b'\x10'


def _check_size(image: Image.Image, max_pixels: int) -> None:
    if image.width * image.height > max_pixels:
        raise ValueError(
            f'{image.width} x {image.height} px is more than '
            f'{max_pixels} pixels'
        )
    if max(image.size) > MAX_ASPECT * min(image.size):
        raise ValueError(
            f'{image.width} x {image.height} px is a line, not a picture'
        )


def _find_max_sample(image: Image.Image, data: bytes) -> int | None:
    """Return the largest value that the file's samples can have, if known."""
    if image.format == 'TIFF' and image.mode.startswith('I;16'):
        bits = image.tag_v2.get(_TIFF_BITS_PER_SAMPLE, (16,))[0]
        return 2**bits - 1
    if image.mode.startswith('I;16') or is_16_bit_png(data):
        return 65535
    # Pillow scales the samples of a PGM file to 16 bits. Its older versions
    # open a 16-bit PNG as mode I.
    if image.mode == 'I' and image.format in ('PPM', 'PNG'):
        return 65535
    return None


def _find_clear_scale(data: bytes) -> int:
    """Return the factor of the clear color of a PNG of 2 or 4 bits gray."""
    if data[:8] != _PNG_SIGNATURE:
        return 1
    return {b'\x02': 85, b'\x04': 17}.get(data[24:25], 1)


def _convert_to_rgb(
    image: Image.Image, max_sample: int | None, clear_scale: int
) -> Image.Image:
    if image.mode in ('I', 'F') or image.mode.startswith('I;16'):
        upright = ImageOps.exif_transpose(image)
        values = np.asarray(upright)
        gray = Image.fromarray(_scale_to_8_bits(values, max_sample))
        if 'transparency' in image.info:
            gray.paste(
                255, mask=Image.fromarray(values == image.info['transparency'])
            )
        return gray.convert('RGB')
    image.load()
    if _is_plain_jpeg(image):
        return image  # each step below would copy the pixels
    image = ImageOps.exif_transpose(image)
    if not has_transparency(image):
        return image.convert('RGB')
    clear = image.info.get('transparency')
    if max_sample == 65535 and isinstance(clear, tuple):
        # The samples of a 16-bit RGB PNG are read as their high bytes.
        image.info['transparency'] = tuple(value >> 8 for value in clear)
    elif image.mode == 'L' and isinstance(clear, int):
        # Pillow scales gray samples of 2 and 4 bits, but not their clear one.
        image.info['transparency'] = clear * clear_scale
    image = image.convert('RGBA')
    white = Image.new('RGBA', image.size, 'white')
    return Image.alpha_composite(white, image).convert('RGB')


def _is_plain_jpeg(image: Image.Image) -> bool:
    """Return whether a loaded image is an upright RGB JPEG, as most are."""
    return (
        image.format == 'JPEG'
        and image.mode == 'RGB'
        and image.getexif().get(_EXIF_ORIENTATION, _UPRIGHT) == _UPRIGHT
    )


def _scale_to_8_bits(values: np.ndarray, max_sample: int | None) -> np.ndarray:
    """Scale (H, W) integers or floats to uint8; see :func:`decode_image`."""
    if max_sample is not None:
        # Exact: 255 * 65535 needs 24 bits.
        return (
            (values.astype(np.uint32) * 255 + max_sample // 2) // max_sample
        ).astype(np.uint8)
    low, high = values.min(), values.max()
    if not (np.isfinite(low) and np.isfinite(high)):
        raise ValueError('a float image with values that are not finite')
    limits = (1, 255) if values.dtype.kind == 'f' else (255, 65535)
    for limit in limits:
        if low >= 0 and high <= limit:
            low, high = 0, limit
            break
    span = max(float(high) - float(low), np.finfo(np.float32).tiny)
    scaled = (values.astype(np.float64) - low) / span
    return np.rint(255 * scaled).astype(np.uint8)

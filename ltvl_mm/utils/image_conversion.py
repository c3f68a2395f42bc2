"""Conversion of image files that mmpretrain's loader reads differently.

mmpretrain's ``LoadImageFromFile`` decodes with OpenCV, which drops the alpha
channel without blending, reads no QOI, TGA, 32-bit or float TIFF, and which
formats it reads depends on how it was built.
"""

import io

from PIL import Image

from ltvl_mm.utils.image_decoding import (
    decode_image,
    has_transparency,
    is_16_bit_png,
    open_image,
)

_EXIF_ORIENTATION = 0x0112
_UPRIGHT = 1
_PLAIN_MODES = {
    'JPEG': ('L', 'RGB'),
    'MPO': ('L', 'RGB'),
    'PNG': ('1', 'L', 'P', 'RGB'),
    'WEBP': ('RGB',),
}


def convert_for_training(data: bytes) -> tuple[bytes, str | None]:
    """Return an image file that OpenCV reads correctly, and its new suffix.

    The suffix is None, and the bytes are unchanged, for JPEG, PNG
    and WebP with at most 8 bits per sample, one frame (JPEG: any number), no
    transparency, no CMYK and no EXIF rotation. This is decided from the
    header, without decoding. All others are decoded with
    :func:`~ltvl_mm.utils.image_decoding.decode_image` and encoded again: CMYK
    and rotated JPEG as JPEG of quality 95 without chroma subsampling, the
    rest as PNG, which is lossless.

    Args:
        data: Bytes of a file that ``decode_image`` reads.

    Raises:
        ValueError: If it cannot be decoded.
    """
    with open_image(data) as image:
        is_jpeg = image.format in ('JPEG', 'MPO')
        if _is_plain(image, data):
            return data, None
    image = decode_image(data)
    file = io.BytesIO()
    if is_jpeg:
        image.save(file, 'JPEG', quality=95, subsampling=0)
        return file.getvalue(), '.jpg'
    image.save(file, 'PNG')
    return file.getvalue(), '.png'


def _is_plain(image: Image.Image, data: bytes) -> bool:
    """Return whether OpenCV reads an opened file as Pillow does."""
    is_jpeg = image.format in ('JPEG', 'MPO')
    return (
        image.mode in _PLAIN_MODES.get(image.format, ())
        and not has_transparency(image)
        and not is_16_bit_png(data)
        and (is_jpeg or getattr(image, 'n_frames', 1) == 1)
        and image.getexif().get(_EXIF_ORIENTATION, _UPRIGHT) == _UPRIGHT
    )

"""Image decoding: bytes of an image file to RGB pixels."""

import io

from PIL import Image, ImageOps, UnidentifiedImageError

# 100 megapixels: five times a good camera; a "bomb" is far above.
MAX_PIXELS = 100_000_000
# One pixel wide and 60,000 high is small, until its short side is scaled to
# 224: then it takes 9 GB.
MAX_ASPECT = 100

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
Image.init()
# Pass these as ``formats`` to every ``Image.open``: without the argument,
# Pillow goes by content and runs Ghostscript for an EPS file named .jpg.
RASTER_FORMATS = tuple(name for name in _CANDIDATES if name in Image.OPEN)
# Suffixes of the files that count as images, without dot and in lower case.
# MPO (a JPEG with several frames) is opened as JPEG.
IMAGE_SUFFIXES = frozenset(
    suffix.removeprefix('.')
    for suffix, name in Image.registered_extensions().items()
    if name in (*RASTER_FORMATS, 'MPO')
)


def decode_image(data: bytes, *, max_pixels: int = MAX_PIXELS) -> Image.Image:
    """Decode the first frame to RGB, upright, on white where transparent.

    Args:
        data: Bytes of a JPEG, PNG, WebP, GIF, ... file.
        max_pixels: Larger images are refused before they are decoded.

    Raises:
        ValueError: If the bytes are empty, no image, cut short, too large,
            or one side is more than MAX_ASPECT times the other.
    """
    if not data:
        raise ValueError('empty file')
    try:
        with Image.open(io.BytesIO(data), formats=RASTER_FORMATS) as image:
            pixels = image.width * image.height
            if pixels > max_pixels:
                raise ValueError(
                    f'{image.width} x {image.height} px is more than '
                    f'{max_pixels} pixels'
                )
            if max(image.size) > MAX_ASPECT * min(image.size):
                raise ValueError(
                    f'{image.width} x {image.height} px is a line, not a '
                    f'picture'
                )
            image = ImageOps.exif_transpose(image)
            if image.mode in ('RGBA', 'LA', 'PA') or (
                'transparency' in image.info
            ):
                image = image.convert('RGBA')
                paper = Image.new('RGBA', image.size, 'white')
                return Image.alpha_composite(paper, image).convert('RGB')
            return image.convert('RGB')
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

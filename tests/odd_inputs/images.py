"""Odd image files: name -> (file suffix, bytes, expected RGB array).

Every reader of images runs through ``IMAGES``; a new case is one line.
"""

import io
import struct
import zlib

import cv2
import numpy as np
from PIL import Image

SIDE = 16
# A gray value per column: 0, 17, ..., 255.
_RAMP = np.tile(np.arange(SIDE, dtype=np.uint8) * 17, (SIDE, 1))
_HALF = np.where(np.arange(SIDE) < SIDE // 2, 255, 0).astype(np.uint8)
_ALPHA = np.tile(_HALF, (SIDE, 1))  # the right half is transparent
_FLAT = np.full((SIDE, SIDE, 3), (200, 100, 50), np.uint8)


def _save(image, kind='PNG', **options):
    file = io.BytesIO()
    image.save(file, kind, **options)
    return file.getvalue()


def _array(values, kind='PNG', **options):
    return _save(Image.fromarray(values), kind, **options)


def _encode(suffix, values):
    """Write (H, W) or (H, W, 3) RGB samples of any depth with OpenCV."""
    values = values[..., ::-1] if values.ndim == 3 else values
    return cv2.imencode(suffix, np.ascontiguousarray(values))[1].tobytes()


def _write_png(bits, kind, rows, clear=None):
    """Write a PNG of samples that Pillow cannot write.

    Args:
        bits: Bits per sample.
        kind: Color type: 0 gray, 4 gray and alpha, 6 RGB and alpha.
        rows: SIDE packed rows.
        clear: The transparent gray sample.
    """

    def chunk(name, data):
        check = zlib.crc32(name + data)
        size = struct.pack('>I', len(data))
        return size + name + data + struct.pack('>I', check)

    header = struct.pack('>IIBBBBB', SIDE, SIDE, bits, kind, 0, 0, 0)
    found = b'\x89PNG\r\n\x1a\n' + chunk(b'IHDR', header)
    if clear is not None:
        found += chunk(b'tRNS', struct.pack('>H', clear))
    packed = zlib.compress(b''.join(b'\0' + row for row in rows))
    return found + chunk(b'IDAT', packed) + chunk(b'IEND', b'')


def _deep(values):
    """Return 16-bit samples of (H, W, C) 8-bit values as packed rows."""
    return [
        (row.astype('>u2') * 257).astype('>u2').tobytes() for row in values
    ]


def _gray(values):
    return np.repeat(np.asarray(values, np.uint8)[..., None], 3, axis=2)


def _on_white(rgb):
    return np.where(_ALPHA[..., None] == 255, rgb, 255).astype(np.uint8)


def _with_alpha(rgb):
    return np.dstack([rgb, _ALPHA])


def _palette(**options):
    image = Image.fromarray((_ALPHA == 0).astype(np.uint8), 'P')
    image.putpalette([200, 100, 50, 10, 20, 30])
    return _save(image, **options)


def _frames(kind, **options):
    second = Image.new('RGB', (SIDE, SIDE), 'blue')
    return _save(
        Image.fromarray(_FLAT),
        kind,
        save_all=True,
        append_images=[second],
        **options,
    )


def _rotated(kind, **options):
    exif = Image.Exif()
    exif[0x0112] = 6  # display turned clockwise: the left edge becomes the top
    return _array(_gray(_RAMP), kind, exif=exif, **options)


def _big_endian_tiff():
    values = (_RAMP.astype(np.uint16) * 257).astype('>u2')
    image = Image.frombytes('I;16B', (SIDE, SIDE), values.tobytes())
    return _save(image, 'TIFF')


_DEEP = _RAMP.astype(np.uint16) * 257
_DEEP_RGB = _FLAT.astype(np.uint16) * 257
_CMYK = Image.new('CMYK', (SIDE, SIDE), (0, 200, 100, 30))
_CMYK_RGB = np.broadcast_to(
    np.uint8([225, 49, 137]), (SIDE, SIDE, 3)
)  # 255 * (1 - c) * (1 - k)
_PALETTE_RGB = np.where(
    _ALPHA[..., None] == 255, (200, 100, 50), (10, 20, 30)
).astype(np.uint8)
_YCBCR = Image.fromarray(_FLAT).convert('YCbCr')
_JPEG = {'quality': 95, 'subsampling': 0}
_BITS = Image.fromarray(_ALPHA).convert('1')
_CLEAR_FLAT = _on_white(_FLAT)
_TURNED = _gray(np.rot90(_RAMP, -1))

IMAGES = {
    '1': ('.png', _save(_BITS), _gray(_ALPHA)),
    '1 TIFF': ('.tif', _save(_BITS, 'TIFF'), _gray(_ALPHA)),
    'L': ('.png', _array(_RAMP), _gray(_RAMP)),
    'L JPEG': ('.jpg', _array(_RAMP, 'JPEG', **_JPEG), _gray(_RAMP)),
    'L with a clear color': (
        '.png',
        _array(_RAMP, transparency=17),
        _gray(np.where(_RAMP == 17, 255, _RAMP)),
    ),
    'LA': (
        '.png',
        _array(np.dstack([_RAMP, _ALPHA])),
        _on_white(_gray(_RAMP)),
    ),
    'P': ('.png', _palette(), _PALETTE_RGB),
    'P with a clear color': ('.png', _palette(transparency=1), _CLEAR_FLAT),
    'P with alpha': (
        '.png',
        _palette(transparency=b'\xff\x00'),
        _CLEAR_FLAT,
    ),
    'GIF with a clear color': (
        '.gif',
        _palette(kind='GIF', transparency=1),
        _CLEAR_FLAT,
    ),
    'RGB': ('.png', _array(_FLAT), _FLAT),
    'RGB JPEG': ('.jfif', _array(_FLAT, 'JPEG', **_JPEG), _FLAT),
    'RGB with a clear color': (
        '.png',
        _array(_FLAT, transparency=(200, 100, 50)),
        np.full_like(_FLAT, 255),
    ),
    'RGBA': ('.png', _array(_with_alpha(_FLAT)), _CLEAR_FLAT),
    'RGBA TIFF': ('.tif', _array(_with_alpha(_FLAT), 'TIFF'), _CLEAR_FLAT),
    'RGBA WebP': (
        '.webp',
        _array(_with_alpha(_FLAT), 'WEBP', lossless=True, exact=True),
        _CLEAR_FLAT,
    ),
    'RGBA QOI': ('.qoi', _array(_with_alpha(_FLAT), 'QOI'), _CLEAR_FLAT),
    'CMYK JPEG': ('.jpg', _save(_CMYK, 'JPEG', **_JPEG), _CMYK_RGB),
    'CMYK TIFF': ('.tif', _save(_CMYK, 'TIFF'), _CMYK_RGB),
    'YCbCr TIFF': ('.tiff', _save(_YCBCR, 'TIFF'), _FLAT),
    '16-bit gray PNG': ('.png', _array(_DEEP), _gray(_RAMP)),
    '16-bit gray TIFF': ('.tif', _array(_DEEP, 'TIFF'), _gray(_RAMP)),
    '16-bit gray big-endian TIFF': (
        '.tif',
        _big_endian_tiff(),
        _gray(_RAMP),
    ),
    '16-bit gray with a clear color': (
        '.png',
        _array(_DEEP, transparency=17 * 257),
        _gray(np.where(_RAMP == 17, 255, _RAMP)),
    ),
    '16-bit LA PNG': (
        '.png',
        _write_png(16, 4, _deep(np.dstack([_RAMP, _ALPHA]))),
        _on_white(_gray(_RAMP)),
    ),
    '16-bit RGBA PNG': (
        '.png',
        _write_png(16, 6, _deep(_with_alpha(_FLAT))),
        _CLEAR_FLAT,
    ),
    '4-bit gray PNG': (
        '.png',
        _write_png(4, 0, [bytes.fromhex('0123456789abcdef')] * SIDE),
        _gray(_RAMP),
    ),
    '4-bit gray with a clear color': (
        '.png',
        _write_png(4, 0, [bytes.fromhex('0123456789abcdef')] * SIDE, 3),
        _gray(np.where(_RAMP == 51, 255, _RAMP)),
    ),
    '2-bit gray with a clear color': (
        '.png',
        _write_png(2, 0, [bytes.fromhex('0055aaff')] * SIDE, 1),
        _gray(np.tile(np.repeat([0, 255, 170, 255], 4), (SIDE, 1))),
    ),
    '16-bit PGM': ('.pgm', _encode('.pgm', _DEEP), _gray(_RAMP)),
    'dark 16-bit PGM': (
        '.pgm',
        _encode('.pgm', _RAMP.astype(np.uint16)),
        _gray(np.rint(_RAMP / 257)),
    ),
    '16-bit RGB PNG': ('.png', _encode('.png', _DEEP_RGB), _FLAT),
    '16-bit RGB TIFF': ('.tif', _encode('.tif', _DEEP_RGB), _FLAT),
    'I up to 255': (
        '.tif',
        _array(_RAMP.astype(np.int32), 'TIFF'),
        _gray(_RAMP),
    ),
    'I up to 65535': (
        '.tif',
        _array(_DEEP.astype(np.int32), 'TIFF'),
        _gray(_RAMP),
    ),
    'I of another range': (
        '.tif',
        _array(_RAMP.astype(np.int32) * 1000 - 5000, 'TIFF'),
        _gray(_RAMP),
    ),
    'F in [0, 1]': (
        '.tif',
        _array(_RAMP.astype(np.float32) / 255, 'TIFF'),
        _gray(_RAMP),
    ),
    'F in [0, 255]': (
        '.tif',
        _array(_RAMP.astype(np.float32), 'TIFF'),
        _gray(_RAMP),
    ),
    'F of another range': (
        '.tif',
        _array(_RAMP.astype(np.float32) * 8 - 99, 'TIFF'),
        _gray(_RAMP),
    ),
    'rotated JPEG': ('.jpg', _rotated('JPEG', **_JPEG), _TURNED),
    'rotated PNG': ('.png', _rotated('PNG'), _TURNED),
    'rotated WebP': ('.webp', _rotated('WEBP', lossless=True), _TURNED),
    'animated GIF': ('.gif', _frames('GIF'), _FLAT),
    'animated WebP': ('.webp', _frames('WEBP', lossless=True), _FLAT),
    'animated PNG': ('.png', _frames('PNG'), _FLAT),
    'MPO': ('.mpo', _frames('MPO', **_JPEG), _FLAT),
    'TGA': ('.tga', _array(_FLAT, 'TGA'), _FLAT),
    'BMP': ('.bmp', _array(_FLAT, 'BMP'), _FLAT),
    'PPM': ('.ppm', _array(_FLAT, 'PPM'), _FLAT),
    'JPEG 2000': ('.jp2', _array(_FLAT, 'JPEG2000'), _FLAT),
    'AVIF': ('.avif', _array(_FLAT, 'AVIF', quality=100), _FLAT),
}
# Files that are copied byte for byte to a retrieved folder.
COPIED = {'1', '4-bit gray PNG', 'L', 'L JPEG', 'P', 'RGB', 'RGB JPEG', 'MPO'}

# An encapsulated PostScript file, for which Pillow would start Ghostscript.
EPS = b"""%!PS-Adobe-3.0 EPSF-3.0
%%BoundingBox: 0 0 16 16
%%EndComments
0 0 16 16 rectfill
showpage
%%EOF
"""

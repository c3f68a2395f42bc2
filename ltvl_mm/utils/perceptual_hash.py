"""64-bit perceptual hashes of images (pHash of ImageHash)."""

import imagehash
import numpy as np
from PIL import Image
from torch import nn

from ltvl_mm.utils.hash_recipes import (
    HASH_RECIPE,
    HASH_RECIPES,
    PLAIN_RECIPE,
    SHRUNK_RECIPE,
)
from ltvl_mm.utils.pixel_view import view_pixels

# Side that pHash resizes an image to, and side of the block of low
# frequencies that it keeps.
_SIDE, _KEPT = 32, 8
# Three times the side of pHash: Pillow's filter, which ImageHash resizes
# with, takes most of its time on a whole image.
_SHRUNK_SIDE = 96
# Red, green, blue, and the padding of Pillow's pixels.
_LUMA = np.array([299.0, 587.0, 114.0, 0.0])


def _make_cosines() -> np.ndarray:
    """Return the (8, 32) low frequencies of a cosine transform, as integers.

    With factors of 12 bits, all sums stay below 2**53. So the transform is
    exact, and equal on all processors.
    """
    places = np.outer(np.arange(_KEPT), 2 * np.arange(_SIDE) + 1)
    return np.rint(2**12 * np.cos(np.pi / (2 * _SIDE) * places))


_COSINES = _make_cosines()


def compute_phash(image: Image.Image, recipe: str = HASH_RECIPE) -> int:
    """Return the 64-bit perceptual hash of a decoded image.

    Args:
        image: RGB image.
        recipe: One of HASH_RECIPES, default the last. ``'imagehash.phash'``
            is ImageHash's own. The second resizes sides above 96 pixels to 96
            before, antialiased, in 8 bits. The default resizes to 32 x 32
            in this way, and transforms the luma exactly. From ImageHash's,
            the others differed in at most 2 of 64 bits on photos and
            drawings.

    Raises:
        ValueError: If the recipe is unknown, as that of a later version.
    """
    if recipe == HASH_RECIPE:
        bits = _compute_bits(image)
    elif recipe == SHRUNK_RECIPE:
        bits = imagehash.phash(_shrink(image)).hash
    elif recipe == PLAIN_RECIPE:
        bits = imagehash.phash(image).hash
    else:
        raise ValueError(
            f'unknown recipe of perceptual hashes {recipe!r}; expected one '
            f'of {", ".join(map(repr, HASH_RECIPES))}. Update ltvl_mm'
        )
    return int.from_bytes(np.packbits(bits).tobytes(), 'big')


def _compute_bits(image: Image.Image) -> np.ndarray:
    """Return 64 bits: low frequencies of the luma above their median."""
    pixels = nn.functional.interpolate(
        view_pixels(image), (_SIDE, _SIDE), mode='bilinear', antialias=True
    )
    planes = pixels[0].numpy()  # (C, 32, 32)
    luma = np.tensordot(_LUMA[: len(planes)], planes.astype(np.float64), 1)
    low = (_COSINES @ luma @ _COSINES.T).reshape(-1)
    # Twice the median of 64 values: the mean of the middle two.
    middle = np.sort(low)[31:33].sum()
    return 2 * low > middle


def _shrink(image: Image.Image) -> Image.Image:
    size = min(image.height, _SHRUNK_SIDE), min(image.width, _SHRUNK_SIDE)
    if size == (image.height, image.width):
        return image
    pixels = nn.functional.interpolate(
        view_pixels(image), size, mode='bilinear', antialias=True
    )
    values = pixels[0].permute(1, 2, 0).contiguous().numpy()
    if values.shape[2] == 3:
        return Image.fromarray(values)
    # With the byte of padding, Pillow takes the memory as it is.
    return Image.frombuffer('RGBX', size[::-1], values, 'raw', 'RGBX', 0, 1)

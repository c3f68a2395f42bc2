"""64-bit perceptual hashes of images (pHash of ImageHash)."""

import imagehash
import numpy as np
from PIL import Image
from torch import nn

from ltvl_mm.utils.hash_recipes import (
    HASH_RECIPE,
    HASH_RECIPES,
    PLAIN_RECIPE,
)
from ltvl_mm.utils.pixel_view import view_pixels

# Three times the side that pHash itself resizes to, with a filter of Pillow
# that takes most of its time on a whole image.
_SIDE = 96


def compute_phash(image: Image.Image, recipe: str = HASH_RECIPE) -> int:
    """Return the 64-bit perceptual hash of a decoded image.

    Args:
        image: RGB image.
        recipe: ``'imagehash.phash'`` for ImageHash's own, or (default) with
            sides above 96 pixels resized to 96 before, antialiased, in 8
            bits. At most 2 of 64 bits differed on photos and drawings.

    Raises:
        ValueError: If the recipe is unknown, as that of a later version.
    """
    if recipe == HASH_RECIPE:
        image = _shrink(image)
    elif recipe != PLAIN_RECIPE:
        raise ValueError(
            f'unknown recipe of perceptual hashes {recipe!r}; expected one '
            f'of {", ".join(map(repr, HASH_RECIPES))}. Update ltvl_mm'
        )
    bits = np.packbits(imagehash.phash(image).hash)
    return int.from_bytes(bits.tobytes(), 'big')


def _shrink(image: Image.Image) -> Image.Image:
    size = min(image.height, _SIDE), min(image.width, _SIDE)
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

"""Pixels of a Pillow image as a tensor, without a copy where possible."""

import numpy as np
import pyarrow as pa
import torch
from PIL import Image


def view_pixels(image: Image.Image) -> torch.Tensor:
    """Return the (1, C, H, W) uint8 pixels of an RGB image, channels last.

    C is 4 where Pillow lends its memory, in which a byte of padding follows
    each pixel, and 3 where the pixels are copied. Do not write to them.

    Args:
        image: A loaded image of mode RGB.
    """
    pixels = _borrow_pixels(image)
    if pixels is None:
        pixels = torch.from_numpy(np.array(image).reshape(-1))
    height, width = image.height, image.width
    channels = len(pixels) // (height * width)
    # The strides of the batch say that channels come last. With [None], whose
    # stride says nothing, torch would transpose the pixels before and after
    # it resizes them.
    return pixels.as_strided(
        (1, channels, height, width),
        (len(pixels), 1, width * channels, channels),
    )


def _borrow_pixels(image: Image.Image) -> torch.Tensor | None:
    """Return Pillow's own memory, or None where it does not lend it."""
    # Pillow 11.2 and pyarrow 15, or later.
    if not hasattr(image, '__arrow_c_array__') or not hasattr(
        pa.Array, '__dlpack__'
    ):
        return None
    try:
        return torch.from_dlpack(pa.array(image).values)
    except ValueError:  # an image of more than one block of memory (16 MB)
        return None

"""An image of a user, before any transform."""

from pathlib import Path

import mmcv
import numpy as np

ImageLike = str | Path | np.ndarray


def load_image(image: ImageLike) -> dict:
    """Return an image as the host's LoadImageFromFile does.

    Args:
        image: A path or address, or a (H, W, 3) uint8 array, BGR.

    Raises:
        ValueError: If it cannot be read; names it.
    """
    if isinstance(image, np.ndarray):
        if image.dtype != np.uint8 or image.shape[2:] != (3,):
            raise ValueError(
                f'an image must be a (H, W, 3) uint8 array, BGR; got '
                f'{image.dtype} of shape {image.shape}'
            )
        pixels = image
    else:
        try:
            pixels = mmcv.imread(image)
        # What a broken file raises is up to the decoder.
        except Exception as error:
            raise ValueError(
                f'the image {image!r} cannot be read: {error!s:.200}'
            ) from error
        if pixels is None:
            raise ValueError(f'the image {image!r} is of no known format')
    shape = pixels.shape[:2]
    return {'img': pixels, 'img_shape': shape, 'ori_shape': shape}

"""An image of a user, before any transform."""

from pathlib import Path

import numpy as np
from mmengine.logging import print_log

from ltvl_mm.datasets import LoadImage
from ltvl_mm.utils.image_folders import find_images

ImageLike = str | Path | np.ndarray


def load_image(image: ImageLike) -> dict:
    """Return an image as ``ltvl_mm.LoadImage`` does.

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
        return LoadImage()({'img_path': str(image)})
    shape = pixels.shape[:2]
    return {'img': pixels, 'img_shape': shape, 'ori_shape': shape}


def list_images(folder: str | Path) -> list[Path]:
    """Return the image files of a folder, sorted by name.

    Folders in it, hidden entries and other files are left out; a warning says
    how many and which.

    Raises:
        ValueError: If there is no image.
    """
    found = find_images(folder, recursive=False, follow_links=True)
    said = f'; left out: {found.left_out}' if found.left_out else ''
    if not found.files:
        raise ValueError(f'there is no image in the folder {folder}{said}')
    if said:
        text = f'{folder}: {len(found.files)} images{said}'
        print_log(text, 'current', level=30)
    return [Path(folder) / name for name in found.files]

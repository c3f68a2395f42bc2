"""An image of a user, before any transform."""

from collections.abc import Sequence
from pathlib import Path
from typing import TypeAlias

import numpy as np
from mmengine.logging import print_log

from ltvl_mm.datasets import LoadImage
from ltvl_mm.utils.image_folders import find_images
from ltvl_mm.utils.short_repr import describe_value

ImageLike: TypeAlias = str | Path | np.ndarray
# What to do with inputs of other types, by the name of the type.
_REMEDIES = {
    'bytes': 'decode it with mmcv.imfrombytes(data)',
    'bytearray': 'decode it with mmcv.imfrombytes(data)',
    'Tensor': (
        'give the path of the image, or the pixels before normalization as '
        'an array: tensor.permute(1, 2, 0).numpy() if it is (3, H, W) in BGR'
    ),
    'Image': "convert it with np.array(image.convert('RGB'))[..., ::-1]",
    'list': 'give one flat list',
    'tuple': 'give one flat list',
}
_MAX_PATH = 4096  # characters; PATH_MAX of Linux


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


def list_inputs(inputs: ImageLike | Sequence[ImageLike]) -> list:
    """Return the images of a call one by one, paths as text.

    Paths and arrays may be mixed. An empty list gives a warning.

    Args:
        inputs: A path, an array, a folder, or a list of paths and arrays.

    Raises:
        ValueError: If an input is neither a path nor an array, or a folder
            has no image.
    """
    images = inputs if isinstance(inputs, (list, tuple)) else [inputs]
    for index, image in enumerate(images):
        which = f'input {index} of {len(images)}'
        _check_input(image, 'the input' if len(images) == 1 else which)
    if isinstance(inputs, (str, Path)) and Path(inputs).is_dir():
        images = list_images(inputs)
    if not images:
        text = 'no image was given: the list is empty, and so is the result'
        print_log(text, 'current', level=30)
    return [str(i) if isinstance(i, Path) else i for i in images]


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


def _check_input(image: object, which: str) -> None:
    """Raise ValueError unless an input is a path or an array."""
    if isinstance(image, str) and len(image) > _MAX_PATH:
        raise ValueError(
            f'{which} has {len(image):,} characters and is not a path: '
            f'{image[:40]!r}...; decode image data with mmcv.imfrombytes'
        )
    if isinstance(image, (str, Path, np.ndarray)):
        return
    kinds = [kind.__name__ for kind in type(image).__mro__]
    remedies = [_REMEDIES[kind] for kind in kinds if kind in _REMEDIES]
    raise ValueError(
        f'images must be paths or (H, W, 3) uint8 arrays, BGR; {which} is '
        f'{describe_value(image)}; {[*remedies, "give paths or arrays"][0]}'
    )

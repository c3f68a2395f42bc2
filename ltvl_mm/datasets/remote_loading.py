"""Load images from object stores in any pipeline of mmpretrain."""

import copy
from typing import Any

from mmcv.transforms import LoadImageFromFile
from mmengine.dataset import Compose

from ltvl_mm.datasets.load_image import LoadImage


def use_load_image(pipeline: Compose) -> Compose:
    """Return a pipeline that loads with :class:`.LoadImage`.

    mmpretrain's ``LoadImageFromFile`` reads neither object stores without
    further packages nor parts of a tar. The given pipeline is not changed.

    Args:
        pipeline: Transforms, perhaps inside others such as ``MultiView``.

    Raises:
        ValueError: If a transform loads other than three color channels.
    """
    return Compose([_replace(one) for one in pipeline.transforms])


def _replace(transform: Any) -> Any:  # noqa: ANN401
    if type(transform) is LoadImageFromFile:
        if transform.color_type != 'color':
            raise ValueError(
                f'remote images are loaded in color, but the pipeline has '
                f'color_type={transform.color_type!r}; download them for '
                f'this pipeline'
            )
        return LoadImage(
            to_float32=transform.to_float32,
            ignore_empty=transform.ignore_empty,
        )
    inner = getattr(transform, 'transforms', None)
    if isinstance(inner, (list, tuple, Compose)):
        changed = copy.copy(transform)
        changed.transforms = _replace_all(inner)
        return changed
    return transform


def _replace_all(inner: list | tuple | Compose) -> list | Compose:
    if isinstance(inner, Compose):
        return use_load_image(inner)
    # A view of MultiView is a pipeline, or a list of transforms.
    return [
        _replace_all(one) if isinstance(one, list) else _replace(one)
        for one in inner
    ]

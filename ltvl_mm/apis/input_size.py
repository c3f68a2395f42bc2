"""Resize images for a pipeline that takes them as they are."""

from collections.abc import Callable, Iterator, Mapping

import numpy as np
from mmcv.transforms import Compose
from mmengine.config import Config
from mmengine.registry import DefaultScope
from mmpretrain.registry import TRANSFORMS

from ltvl_mm.utils.config_walk import name_type, walk_config

# Transforms that give an image its size, and the argument that says which.
_SIZES = {
    'RandomResizedCrop': 'scale',
    'RandomCrop': 'crop_size',
    'CenterCrop': 'crop_size',
    'EfficientNetCenterCrop': 'crop_size',
    'EfficientNetRandomCrop': 'scale',
    'Resize': 'scale',
}


def make_resizer(
    cfg: Config, pipeline: Callable[[dict], dict]
) -> Callable[[dict], dict] | None:
    """Return a transform to the size that the model was trained with.

    Test images of a data set may all have one size, and its test pipeline
    then does not resize. Other images are brought to that size as CLIP
    resizes: the short side, then a crop of the center.

    Args:
        cfg: Config of the model.
        pipeline: Its test pipeline without the loading of files.

    Returns:
        The transform; None if the pipeline resizes by itself, or the size is
        not known.
    """
    if _has_fixed_size(pipeline):
        return None
    size = _find_size(cfg)
    if size is None:
        return None
    height, width = size
    steps = [
        dict(
            type='ResizeEdge',
            scale=max(height, width),
            edge='short',
            interpolation='bicubic',
            backend='pillow',
        ),
        dict(type='CenterCrop', crop_size=(width, height)),
    ]
    with DefaultScope.overwrite_default_scope('mmpretrain'):
        resize = Compose([TRANSFORMS.build(step) for step in steps])

    def resize_others(results: dict) -> dict:
        same = results['img'].shape[:2] == (height, width)
        return results if same else resize(results)

    return resize_others


def _has_fixed_size(pipeline: Callable[[dict], dict]) -> bool:
    """Return whether images of two sizes become inputs of one size."""
    shapes = set()
    for height, width in ((53, 37), (64, 80)):
        image = np.zeros((height, width, 3), np.uint8)
        shape = (height, width)
        made = pipeline({'img': image, 'img_shape': shape, 'ori_shape': shape})
        inputs = made['inputs']
        views = inputs if isinstance(inputs, (list, tuple)) else [inputs]
        shapes.add(tuple(tuple(view.shape) for view in views))
    return len(shapes) == 1


def _find_size(cfg: Config) -> tuple[int, int] | None:
    """Return height and width of training images, or of CLIP's tower."""
    for stage in ('train', 'val', 'test'):
        loader = cfg.get(f'{stage}_dataloader') or {}
        for pipeline in _list_pipelines(loader):
            for step in reversed(pipeline):
                kind = name_type(step)
                value = step.get(_SIZES.get(kind, ''))
                if isinstance(value, int):
                    return value, value
                if isinstance(value, (list, tuple)) and len(value) == 2:
                    width, height = value  # mmcv's order
                    return height, width
    return _find_tower_size(cfg.model)


def _find_tower_size(model: Mapping) -> tuple[int, int] | None:
    for sub_config in walk_config(model):
        kind = name_type(sub_config)
        if kind == 'CLIPBackbone':
            from ltvl_mm.clip.towers import find_arch

            size = find_arch(sub_config['arch'])['vision_cfg']['image_size']
            return (size, size) if isinstance(size, int) else tuple(size)
    return None


def _list_pipelines(loader: Mapping) -> Iterator[list]:
    for sub_config in walk_config(loader):
        pipeline = sub_config.get('pipeline')
        if isinstance(pipeline, (list, tuple)):
            yield list(pipeline)

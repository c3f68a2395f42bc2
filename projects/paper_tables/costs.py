"""What a row will cost, estimated from its configs; nothing is run."""

import copy
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path

import torch
from mmengine.config import Config
from mmengine.registry import DefaultScope
from torch.overrides import TorchFunctionMode

from ltvl_mm.clip.towers import build_clip, find_arch
from ltvl_mm.models.classifiers.multiply_adds import count_multiply_adds
from ltvl_mm.registry import MODELS
from ltvl_mm.utils.config_walk import walk_config

# Multiply-adds a second of an A100 in training with --amp: ResNet-50 (4.1
# billion an image, and three times that forth and back) at 490 images/s,
# which loaders of 16 cores sustain. The model alone would be twice as fast.
RATE = 6e12
# Files of a training that stay: the last two checkpoints and the best.
CHECKPOINTS = 3
# Images and gigabytes of the data sets, as their pages state them.
DATA = {
    'data/imagenet': (115_846, 155.0),
    'data/places': (62_500, 24.0),  # of 256 px
    'data/inat18': (437_513, 120.0),
    'data/cifar100_lt': (10_847, 0.2),
}


@dataclass(frozen=True)
class Cost:
    """Estimates of a config.

    Args:
        gpu_hours: Hours of one A100 with --amp; 0 if nothing is trained.
        disk: Bytes of the checkpoints that stay.
        downloads: Name of weights -> bytes, about.
        data: Folders of data sets, keys of DATA.
    """

    gpu_hours: float = 0.0
    disk: float = 0.0
    downloads: Mapping[str, float] = field(default_factory=dict)
    data: tuple[str, ...] = ()


def estimate_cost(config: Path) -> Cost:
    """Return what training or testing a config costs."""
    cfg = Config.fromfile(config)
    sizes = _measure(_freeze(_strip(cfg.model)))
    downloads = {
        name: size
        for part in walk_config(cfg.model.to_dict())
        for name, size in _list_downloads(part, sizes)
    }
    data = tuple(
        sorted(
            {
                str(part['data_root'])
                for split in ('train', 'val', 'test')
                for part in walk_config(
                    _to_dict(cfg.get(f'{split}_dataloader'))
                )
                if part.get('data_root') in DATA
            }
        )
    )
    if cfg.get('train_dataloader') is None or not data:
        return Cost(downloads=downloads, data=data)
    batches, images = _count_images(cfg, data[0])
    work = 3 * images * sizes.image  # forward, and twice that backward
    if cfg.model.head.get('loss') == 'class_ce':
        passes = 1 if cfg.model.head.get('frozen') else 3 * batches
        work += passes * cfg.get('num_classes', 1000) * sizes.text
    parameters = sizes.trained * (3 if _is_adam(cfg) else 2) + sizes.frozen
    return Cost(
        gpu_hours=work / RATE / 3600,
        disk=4 * CHECKPOINTS * parameters,
        downloads=downloads,
        data=data,
    )


@dataclass(frozen=True)
class _Sizes:
    """Multiply-adds of an image and a text; trained and frozen numbers."""

    image: int
    text: int
    trained: int
    frozen: int


class _LeaveWeights(TorchFunctionMode):
    """Draw no random weights: only shapes are counted, and drawing is slow."""

    def __torch_function__(
        self,
        func: Callable,
        types: object,
        args: tuple = (),
        kwargs: dict | None = None,
    ) -> object:
        kwargs = kwargs or {}
        if getattr(func, '__module__', '') == 'torch.nn.init':
            return kwargs['tensor']
        return func(*args, **kwargs)


@cache
def _measure(frozen_model: str) -> _Sizes:
    model_cfg = _MODELS[frozen_model]
    with (
        DefaultScope.overwrite_default_scope('mmpretrain'),
        _LeaveWeights(),
    ):
        model = MODELS.build(copy.deepcopy(model_cfg)).eval()
    backbone = model.backbone
    size = _find_pixels(model_cfg)
    with torch.no_grad():
        image = count_multiply_adds(backbone, torch.zeros(1, 3, size, size))
        text = 0
        head = getattr(model, 'head', None)
        if hasattr(head, 'text') and hasattr(head, 'tokenizer'):
            tokens = head.tokenizer(['a photo of a cat.'])
            text = count_multiply_adds(head.text, tokens)
    trained = sum(p.numel() for p in model.parameters() if p.requires_grad)
    total = sum(p.numel() for p in model.parameters())
    return _Sizes(image, text, trained, total - trained)


# Config text -> config: a config itself is not a key.
_MODELS: dict[str, dict] = {}


def _freeze(model: dict) -> str:
    key = repr(model)
    _MODELS[key] = model
    return key


def _strip(model: Mapping) -> dict:
    """Return the model without weights, class names and teachers."""
    stripped = copy.deepcopy(dict(model))
    for part in walk_config(stripped):
        for name in ('pretrained', 'init_cfg'):
            if name in part and not isinstance(part[name], bool):
                part[name] = None
        if isinstance(part.get('class_names'), str):
            part['class_names'] = ['a cat']
    return stripped


def _find_pixels(model: Mapping) -> int:
    for part in walk_config(model):
        if 'CLIPBackbone' in str(part.get('type')):
            return find_arch(part['arch'])['vision_cfg']['image_size']
    return 224


def _count_images(cfg: Config, data: str) -> tuple[float, float]:
    """Return batches and images of a training."""
    loader = cfg.train_dataloader
    epoch = loader.sampler.get('epoch_size') or DATA[data][0]
    images = epoch * cfg.train_cfg.max_epochs
    base = (cfg.get('auto_scale_lr') or {}).get('base_batch_size')
    return images / (base or 8 * loader.batch_size), images


def _list_downloads(
    part: Mapping, sizes: _Sizes
) -> Iterator[tuple[str, float]]:
    """Yield weights that are fetched: tags of open_clip, and URLs."""
    arch, tag = part.get('arch'), part.get('pretrained')
    if isinstance(arch, str) and isinstance(tag, str) and '/' not in tag:
        towers = _measure_clip(arch)
        yield f'{arch} {tag} (open_clip)', 2.2 * towers  # fp16, and a graph
    init = part.get('init_cfg')
    for one in init if isinstance(init, (list, tuple)) else [init]:
        name = (one or {}).get('checkpoint', '')
        if '://' in str(name):
            yield str(name), 4.0 * (sizes.trained + sizes.frozen)


@cache
def _measure_clip(arch: str) -> int:
    with _LeaveWeights():
        return sum(p.numel() for p in build_clip(arch).parameters())


def _is_adam(cfg: Config) -> bool:
    return 'Adam' in str(cfg.optim_wrapper.optimizer.get('type'))


def _to_dict(node: object) -> object:
    return node.to_dict() if hasattr(node, 'to_dict') else node

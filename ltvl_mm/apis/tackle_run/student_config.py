"""Config of the student: the model that TACKLE trains."""

import copy
import difflib
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import mmpretrain
from mmengine.config import Config
from mmpretrain.apis import ModelHub

from ltvl_mm.utils.config_walk import walk_config

# Names of mmpretrain's configs that are not a plain training on ImageNet.
_OTHER = re.compile(r'pre[-_]|3rdparty|linear|arcface|fp16|rsb|noema')
# Optimizers whose steps do not grow with the gradient: their learning rate
# goes with the square root of the batch size (Malladi et al. 2022).
_ADAPTIVE = ('Adam', 'Lamb', 'Lion')
# Fine-tuning begins with a tenth of the learning rate of a training.
_FINE_TUNING = 0.1


@dataclass(frozen=True)
class Student:
    """Model, optimizer and initial weights of a training.

    Attributes:
        name: Short name, for folders and tables.
        model: Config of the ``ImageClassifier``, for K classes.
        data_preprocessor: Mean, std and channel order.
        optim_wrapper: Optimizer, for the learning rate of the batch size.
        weights: Address or file of pretrained weights; None for random ones.
    """

    name: str
    model: dict
    data_preprocessor: dict
    optim_wrapper: dict
    weights: str | None = None


def find_student(
    text: str,
    *,
    num_classes: int,
    image_size: int,
    batch_size: int,
    pretrained: bool | str = False,
) -> Student:
    """Return the student of a name, such as ``'resnet50'``, or of a config.

    Model, preprocessing and optimizer are those of mmpretrain's config on
    ImageNet, or of the given config; data and schedule are not.

    Args:
        text: Name of an mmpretrain model, or the beginning of one up to
            ``_``; or the path of a config.
        num_classes: K.
        image_size: Side of the training images in pixels.
        batch_size: Images of a step, of all GPUs together; the learning rate
            is scaled to it.
        pretrained: True for the weights that mmpretrain lists for the model
            (a download), or a file or address of weights; False for random
            weights.

    Raises:
        ValueError: If there is no such model or config, or no weights are
            known for it.
    """
    name, config, listed = _find_config(text)
    weights = None
    if pretrained is True:
        weights = listed
        if weights is None:
            raise ValueError(
                f'mmpretrain lists no weights for {text!r}; name a file: '
                f'--pretrained-student FILE'
            )
    elif pretrained:
        weights = str(pretrained)
        if '://' not in weights and not Path(weights).is_file():
            raise ValueError(f'there is no checkpoint {weights}')
    preprocessor = dict(config.get('data_preprocessor') or {})
    preprocessor['num_classes'] = num_classes
    return Student(
        name,
        adapt_model_config(config.model, num_classes, image_size, weights),
        preprocessor,
        scale_optimizer(
            config.get('optim_wrapper') or {},
            batch_size,
            _find_batch_size(config),
            fine_tuning=weights is not None,
        ),
        weights,
    )


def adapt_model_config(
    model: Mapping, num_classes: int, image_size: int, weights: str | None
) -> dict:
    """Return a model's config for K classes and images of a size.

    Args:
        model: Config of an ``ImageClassifier``.
        num_classes: K, for every ``num_classes`` of the head.
        image_size: For backbones with an ``img_size``.
        weights: Checkpoint that the backbone starts from; None for none.

    Raises:
        ValueError: If the model has no backbone and head.
    """
    model_config: Any = _to_plain(model)
    if not model_config.get('backbone') or not model_config.get('head'):
        raise ValueError(
            f'a student must have a backbone and a head, got a model of '
            f'{sorted(model_config)}'
        )
    _set_num_classes(model_config['head'], num_classes)
    backbone = model_config['backbone']
    if 'img_size' in backbone:
        backbone['img_size'] = image_size
    # Accuracy over the best five of three classes is an error in mmpretrain.
    if 'topk' in model_config['head']:
        model_config['head']['topk'] = (1,)
    backbone.pop('init_cfg', None)
    if weights is not None:
        backbone['init_cfg'] = dict(
            type='Pretrained', checkpoint=weights, prefix='backbone.'
        )
    return model_config


def scale_optimizer(
    optim_wrapper: Mapping,
    batch_size: int,
    base_batch_size: int,
    *,
    fine_tuning: bool,
) -> dict:
    """Return an optimizer with the learning rate of another batch size.

    SGD's rate is proportional to the batch size, that of adaptive optimizers
    to its square root.

    Args:
        optim_wrapper: Config; an empty one gives SGD with 0.1 for 256 images.
        batch_size: Images of a step here.
        base_batch_size: Images of a step that its rate is for.
        fine_tuning: True for a backbone that starts from pretrained weights,
            which gets a tenth of the rate.
    """
    scaled: Any = _to_plain(optim_wrapper)
    if 'optimizer' not in scaled:
        scaled = dict(
            optimizer=dict(type='SGD', lr=0.1, momentum=0.9, weight_decay=1e-4)
        )
        base_batch_size = 256
    optimizer = scaled['optimizer']
    factor = batch_size / base_batch_size
    if str(optimizer.get('type')).startswith(_ADAPTIVE):
        factor **= 0.5
    if fine_tuning:
        factor *= _FINE_TUNING
    optimizer['lr'] = float(f'{optimizer["lr"] * factor:.3g}')
    return scaled


def _find_config(text: str) -> tuple[str, Config, str | None]:
    """Return short name, config, and the weights that mmpretrain lists."""
    if text.endswith('.py'):
        if not Path(text).is_file():
            raise ValueError(f'there is no config {text}')
        config = Config.fromfile(text)
        if 'model' not in config:
            raise ValueError(f'the config {text} has no model')
        return Path(text).stem, config, config.get('load_from')
    names = mmpretrain.list_models()
    if text in names:
        chosen = text
    else:
        fitting = [
            name
            for name in names
            if name.startswith(f'{text}_') and name.endswith('in1k')
        ]
        plain = [name for name in fitting if not _OTHER.search(name)]
        if not fitting:
            short = sorted({name.split('_')[0] for name in names})
            close = difflib.get_close_matches(text, short)
            raise ValueError(
                f'{text!r} is not a model of mmpretrain; did you mean '
                f'{" or ".join(close) or "one of mmpretrain.list_models()"}? '
                f'A config path also works'
            )
        chosen = min(plain or fitting, key=lambda name: (len(name), name))
    info = ModelHub.get(chosen)
    return text, copy.deepcopy(info.config), info.weights


def _find_batch_size(config: Config) -> int:
    """Return the images of a step that the config's rate is for."""
    base = (config.get('auto_scale_lr') or {}).get('base_batch_size')
    loader = config.get('train_dataloader') or {}
    return int(base or loader.get('batch_size') or 256)


def _set_num_classes(node: object, num_classes: int) -> None:
    for sub_config in walk_config(node):
        if 'num_classes' in sub_config:
            sub_config['num_classes'] = num_classes


def _to_plain(node: object) -> object:
    """Return a copy in plain dicts, lists and tuples, to change and write."""
    if isinstance(node, Mapping):
        return {name: _to_plain(child) for name, child in node.items()}
    if isinstance(node, (list, tuple)):
        return type(node)(_to_plain(child) for child in node)
    return node

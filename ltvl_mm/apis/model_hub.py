"""The project's models by name, and their weights."""

import copy
import difflib
import fnmatch
from functools import cache
from pathlib import Path

import mmpretrain
from mmengine.config import Config
from mmengine.model import BaseModel
from mmengine.runner import load_checkpoint
from mmpretrain.apis import ModelHub
from modelindex.load_model_index import load

from ltvl_mm.utils.checkpoints import find_checkpoint
from ltvl_mm.utils.package_files import find_root

_ROOT = find_root()


def list_models(pattern: str = '') -> list[str]:
    """Return the names of the project's models, those of model-index.yml.

    Args:
        pattern: Beginning of the names; ``*`` stands for anything.

    Raises:
        ValueError: If the package was installed without its clone, which
            holds the index and the configs, or the index is broken.

    Examples:
        >>> import ltvl_mm
        >>> ltvl_mm.list_models('lade')
        ['lade_r50_8xb64-200e_inat18']
        >>> 'tackle_rx50' in ltvl_mm.list_models('*rx50')
        True
    """
    return sorted(fnmatch.filter(_register_models(), f'{pattern}*'))


def get_model(
    model: str | Path | Config,
    pretrained: bool | str | Path = False,
    *,
    device: str | None = None,
    **kwargs: object,
) -> BaseModel:
    """Build a model of the project, or of any config of mmpretrain.

    Args:
        model: Name from :func:`list_models`, path of a config, or a loaded
            config.
        pretrained: File or URL of a checkpoint, or folder of a training (its
            best checkpoint, else its last). All weights are loaded from it;
            files that initialize the config's model need not exist. True:
            weights that the model index or ``load_from`` names, or those of
            the config if it initializes the whole model, as for zero-shot
            CLIP. False (default): the model as the config builds it.
        device: Device of the model; None (default) for the CPU.
        kwargs: Changes to the config's model, as in
            :func:`mmpretrain.get_model`, e.g.
            ``head=dict(class_names=['cat', 'dog'])``.

    Raises:
        ValueError: If there is no such model, config or checkpoint, the
            weights do not fit, or ``pretrained=True`` finds none.

    Examples:
        >>> import ltvl_mm
        >>> model = ltvl_mm.get_model(
        ...     'configs/toy/clip_zero_shot/clip_zero_shot.py', 'clip.pth'
        ... )
        >>> type(model.backbone).__name__
        'CLIPBackbone'
    """
    config, info = _find_config(model)
    weights = _find_weights(config, info, pretrained)
    if weights is not None:
        config.model = _forget_weights(config.model)
    built = mmpretrain.get_model(config, device=device, **kwargs)
    built._metainfo = info
    if weights is not None:
        load_weights(built, weights)
    return built


def load_weights(model: BaseModel, weights: str | Path) -> None:
    """Load a checkpoint, all of it, and the class names it may know.

    Args:
        model: Classifier that :func:`get_model` built.
        weights: A checkpoint file or address, or the folder of a training.

    Raises:
        ValueError: If there is none, or it does not fit the model.
    """
    file = find_checkpoint(weights)
    try:
        # mmengine's, for addresses; ltvl_mm has replaced its readers.
        checkpoint = load_checkpoint(
            model, file, map_location='cpu', strict=True, logger='current'
        )
    except RuntimeError as error:
        raise ValueError(
            f'{file} does not fit the model: {error!s:.2000}'
        ) from None
    meta = checkpoint.get('meta', {}).get('dataset_meta')
    model._dataset_meta = meta or getattr(model, '_dataset_meta', {})


def _find_config(model: str | Path | Config) -> tuple[Config, object]:
    """Return the config of a model, and what the index says of it or None."""
    if isinstance(model, Config):
        return copy.deepcopy(model), None
    if Path(model).suffix == '.py':
        if not Path(model).is_file():
            raise ValueError(f'there is no config {model}')
        return Config.fromfile(model), None
    names = _register_models()
    if model not in names:
        close = difflib.get_close_matches(str(model), names)
        raise ValueError(
            f'{model!r} is neither a config nor one of '
            f'ltvl_mm.list_models(); did you mean '
            f'{" or ".join(close) or "one of mmpretrain.list_models()"}?'
        )
    info = ModelHub.get(model)
    return info.config, info


@cache
def _register_models() -> tuple[str, ...]:
    """Register the models in mmpretrain's ModelHub; return their names."""
    file = _ROOT / 'model-index.yml'
    if not file.is_file():
        raise ValueError(
            f'ltvl_mm was installed without its clone: there is no {file}, '
            f'and no config that it names. Clone the project and install it '
            f'with pip install -e, or give the path of a config'
        )
    index = load(str(file))
    # mmpretrain skips these silently.
    missing = [
        str(model.config)
        for model in index.models
        if not (_ROOT / model.config).is_file()
    ]
    if index.check_errors or missing:
        raise ValueError(
            f'{file} names files that are not there or broken: '
            f'{", ".join([*map(str, index.check_errors), *missing])}'
        )
    ModelHub.register_model_index(file, config_prefix=_ROOT)
    return tuple(model.name for model in index.models)


def _find_weights(
    config: Config, info: object, pretrained: bool | str | Path
) -> str | Path | None:
    if pretrained is not True:
        return pretrained or None
    named = getattr(info, 'weights', None) or config.get('load_from')
    if named is None and not _is_complete(config.model):
        raise ValueError(
            'nothing says where the weights of this model are; give a '
            'checkpoint or the folder of its training as pretrained=, or '
            'False for those of its config alone'
        )
    return named


def _is_complete(model: dict) -> bool:
    """Return whether building a model gives all its parts their weights."""
    if 'members' in model:
        loaded = model.get('checkpoints') or {}
        return all(
            name in loaded or _is_complete(member)
            for name, member in model['members'].items()
        )
    parts = [model.get(name) for name in ('backbone', 'neck', 'head')]
    return all(part.get('pretrained') for part in parts if part)


def _forget_weights(config: object) -> object:
    """Return a config that starts from no file."""
    if isinstance(config, (list, tuple)):
        return type(config)(map(_forget_weights, config))
    if not isinstance(config, dict):
        return config
    kept = {name: _forget_weights(value) for name, value in config.items()}
    if 'checkpoints' in kept:
        kept['checkpoints'] = {}
    if 'pretrained' in kept:  # timm's is a switch
        is_switch = isinstance(kept['pretrained'], bool)
        kept['pretrained'] = False if is_switch else None
    return type(config)(kept)

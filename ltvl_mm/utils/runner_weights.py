"""Load a checkpoint into a Runner's model completely."""

import logging
from collections import OrderedDict
from collections.abc import Mapping
from typing import Any

from mmengine.logging import print_log
from mmengine.model import BaseTTAModel, is_model_wrapper
from mmengine.runner import CheckpointLoader, Runner
from torch import nn

from ltvl_mm.utils.checkpoints import find_checkpoint


def load_all_weights(runner: Runner, path: str) -> None:
    """Load a checkpoint; every weight of the model must be in it.

    mmengine's ``Runner.load_checkpoint`` only logs missing weights, and the
    model is then scored with random ones.

    Args:
        runner: A Runner whose hooks have been told that it runs.
        path: A file or address, or a training folder (its best checkpoint,
            else its last).

    Raises:
        ValueError: If weights are missing or have other shapes. Weights
            that the model does not have are a warning.
    """
    file = find_checkpoint(path)
    checkpoint = CheckpointLoader.load_checkpoint(file, map_location='cpu')
    if 'state_dict' not in checkpoint:
        checkpoint = {'state_dict': checkpoint}
    # As Runner.load_checkpoint does: an EMA hook swaps the weights.
    runner.call_hook('after_load_checkpoint', checkpoint=checkpoint)
    stored = checkpoint['state_dict']
    state: Any = OrderedDict(
        (name.removeprefix('module.'), tensor)
        for name, tensor in stored.items()
    )
    # Versions of the modules, which may rename weights of older ones.
    state._metadata = getattr(stored, '_metadata', {})
    model = _unwrap(runner.model)
    try:
        missing, unexpected = model.load_state_dict(state, strict=False)
    except RuntimeError as error:  # other shapes
        raise ValueError(
            f'{file} does not fit the model of the config: {error!s:.1000}'
        ) from None
    # Written by torch since 1.0 only, and not used for predictions.
    missing = [
        name for name in missing if not name.endswith('num_batches_tracked')
    ]
    cfg = runner.cfg.model
    while 'module' in cfg:  # wrapped for test-time augmentation
        cfg = cfg['module']
    missing = _drop_pretrained(missing, cfg, state)
    if missing:
        raise ValueError(
            f'{file} lacks {len(missing)} of {len(model.state_dict())} '
            f'weights of the model, such as {", ".join(missing[:3])}; test '
            f'it with the config that it was trained with'
        )
    if unexpected:
        print_log(
            f'{file} has {len(unexpected)} weights that the model does not '
            f'have, such as {", ".join(unexpected[:3])}; they are ignored',
            'current',
            logging.WARNING,
        )
    print_log(f'loaded {file}', 'current')


def _drop_pretrained(
    missing: list[str], cfg: Mapping, state: Mapping[str, object]
) -> list[str]:
    """Return the missing weights that no other file of the config gives.

    A checkpoint of BALLAD's phase B that was trained on cached features holds
    no image tower at all; the config takes it from phase A (``pretrained``).

    Args:
        missing: Names of weights that the checkpoint lacks.
        cfg: Config of the model.
        state: Weights of the checkpoint by name.
    """
    given = set()
    for part in {name.split('.')[0] for name in missing}:
        own = cfg.get(part)
        source = own.get('pretrained') if isinstance(own, Mapping) else None
        if source and not any(name.startswith(f'{part}.') for name in state):
            print_log(f'{part} has the weights of {source}', 'current')
            given.add(part)
    return [name for name in missing if name.split('.')[0] not in given]


def _unwrap(model: nn.Module) -> nn.Module:
    while is_model_wrapper(model) or isinstance(model, BaseTTAModel):
        model = model.module
    return model

"""Check that a config weights images only for losses that take weights."""

from collections.abc import Mapping

from mmengine.config import Config
from mmengine.registry import DefaultScope

from ltvl_mm.models.losses.mixed_labels import (
    FROZEN,
    list_recipes,
    weighs_retrieved,
)
from ltvl_mm.registry import MODELS
from ltvl_mm.utils.config_walk import name_type, walk_config
from ltvl_mm.utils.loss_weights import REMEDY, check_takes_weights

# Heads that compute their loss without a module that could take weights.
_WITHOUT_LOSS_MODULE = ('CLIPContrastiveHead',)


def check_weighted_losses(cfg: Config) -> None:
    """Check the losses of a config that weights retrieved images.

    ``RetrievedWeightHook`` checks losses, too, but after model and data are
    built, and those of ``SwitchRecipeHook`` when their epoch begins.

    Args:
        cfg: Config of a training; one without RetrievedWeightHook passes.

    Raises:
        ValueError: If a head or its loss takes no weights; names it.
    """
    if not weighs_retrieved(cfg):
        return
    losses = [recipe.get('loss') for recipe in list_recipes(cfg)]
    for node in walk_config(cfg.get('model'), skip=FROZEN):
        head = node.get('head')
        if not isinstance(head, Mapping):
            continue
        if name_type(head) in _WITHOUT_LOSS_MODULE:
            raise ValueError(
                f'{name_type(head)} computes its loss without a loss_module, '
                f'so that its images cannot be weighted; {REMEDY}'
            )
        losses.append(head.get('loss'))
    with DefaultScope.overwrite_default_scope('mmpretrain'):
        for loss in losses:
            if isinstance(loss, Mapping) and loss.get('type'):
                _check_loss(loss['type'])


def _check_loss(kind: str | type) -> None:
    found = MODELS.get(kind) if isinstance(kind, str) else kind
    if isinstance(found, type):  # building it reports unknown names
        check_takes_weights(found)

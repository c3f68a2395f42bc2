"""Recipes of training on retrieved images: what a config changes for each."""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from ltvl_mm.utils.config_walk import name_type, walk_config

if TYPE_CHECKING:
    from mmengine.config import Config

AUTO = 'auto'
# Name -> fields of Recipe that it sets, the first of which takes the value of
# NAME:VALUE. Measured settings; the docs have the figures.
RECIPES: dict[str, dict[str, object]] = {
    'plain': {},
    'filtered': {'min_probability': 0.5},
    'weighted': {'weights': 'probability', 'counts': 'probability'},
    'counts': {'counts': 'probability'},
    'soft_labels': {'soft_labels': True},
    'share': {'share': 0.2},
    'target_stage': {'target_stage': 0.3, 'target_rate': 0.1},
}
# Recipes whose value is a number in (0, 1).
_WITH_VALUE = ('filtered', 'share', 'target_stage')
# Samplers that show each image equally often.
_EQUAL_SAMPLERS = ('DefaultSampler', 'FixedEpochSampler')


@dataclass(frozen=True)
class Recipe:
    """Settings of a training on target and retrieved images.

    Args:
        name: The recipe's name, as ``--recipe`` takes it.
        min_probability: Minimum p_k of a retrieved image, in [0, 1).
        weights: ``'probability'`` to weight the loss of retrieved images by
            p_k; None for equal weights.
        counts: Weight of retrieved images in class counts of losses:
            ``'all'``, as target images, or ``'probability'``, as their p_k.
        soft_labels: True if retrieved images have CLIP's distribution over the
            classes as label.
        share: Share of retrieved images in each batch, in (0, 1); None for
            their share of the data set.
        target_stage: Share of the epochs, the last ones, that train on target
            images alone, in [0, 1).
        target_rate: Factor on the learning rate in these epochs.
    """

    name: str
    min_probability: float = 0.0
    weights: str | None = None
    counts: str = 'all'
    soft_labels: bool = False
    share: float | None = None
    target_stage: float = 0.0
    target_rate: float = 1.0


def parse_recipe(text: str) -> Recipe:
    """Return the recipe of ``NAME``, ``NAME:VALUE``, or several with ``+``.

    Args:
        text: E.g. ``'weighted'``, ``'filtered:0.3'``, or
            ``'filtered+share:0.2'``.

    Raises:
        ValueError: If a name is unknown, a value is not in (0, 1), or
            a name takes no value or is given twice.
    """
    fields: dict[str, Any] = {}
    for word in text.split('+'):
        name, colon, value = word.partition(':')
        if name not in RECIPES:
            raise ValueError(
                f'--recipe must be {AUTO}, or one or several (with +) of '
                f'{", ".join(RECIPES)}, got {text!r}'
            )
        own = dict(RECIPES[name])
        if colon:
            own[_find_value_field(name)] = _read_share(name, value)
        if any(fields.get(key, one) != one for key, one in own.items()):
            raise ValueError(f'--recipe {text!r} gives {name} twice')
        fields |= own
    return Recipe(text, **fields)


def apply_recipe(cfg: 'Config', recipe: Recipe) -> None:
    """Change a config with retrieved images to train by a recipe.

    The model stays the same, so that checkpoints load with any recipe.

    Args:
        cfg: Config whose training set is, or holds, a ``TACKLEDataset``.
        recipe: A recipe of :func:`parse_recipe` or ``choose_recipe``.

    Raises:
        ValueError: If the config has no retrieved images, or its sampler,
            epochs or hooks do not allow what the recipe changes.
    """
    dataset = find_retrieved_dataset(cfg)
    if recipe.min_probability:
        dataset['min_probability'] = recipe.min_probability
    if recipe.soft_labels:
        dataset['soft_labels'] = True
    target_from = _find_target_stage(cfg, recipe)
    if recipe.share is not None or target_from is not None:
        _set_sampler(cfg, recipe, target_from)
    hooks = [dict(hook) for hook in cfg.get('custom_hooks') or ()]
    for hook in hooks:
        if name_type(hook) == 'ClassCountsHook' and recipe.counts != 'all':
            hook['retrieved'] = recipe.counts
        if name_type(hook) == 'ClassCountsHook' and target_from is not None:
            hook['target_from'] = target_from
    if recipe.weights:
        if any(name_type(hook) == 'RetrievedWeightHook' for hook in hooks):
            raise ValueError(
                f'{cfg.filename} weights retrieved images already; leave '
                f'RetrievedWeightHook out of custom_hooks, or give another '
                f'--recipe than {recipe.name}'
            )
        hooks.append(
            dict(type='ltvl_mm.RetrievedWeightHook', retrieved=recipe.weights)
        )
    if target_from is not None:
        hooks.append(
            dict(
                type='ltvl_mm.LearningRateFactorHook',
                factor=recipe.target_rate,
                begin=target_from,
            )
        )
    cfg.custom_hooks = hooks


def find_retrieved_dataset(cfg: 'Config') -> dict:
    """Return the part of a config that is its ``TACKLEDataset``.

    Raises:
        ValueError: If there is none, or several.
    """
    loader = cfg.get('train_dataloader') or {}
    found = [
        sub_config
        for sub_config in walk_config(
            loader.get('dataset'), skip=('pipeline',)
        )
        if name_type(sub_config) == 'TACKLEDataset'
    ]
    if len(found) != 1:
        raise ValueError(
            f'--recipe needs one TACKLEDataset in the training set of '
            f'{cfg.filename}, found {len(found)}; give --retrieved MANIFEST, '
            f'or leave out --recipe'
        )
    return found[0]


def _find_target_stage(cfg: 'Config', recipe: Recipe) -> int | None:
    """Return the first epoch on target images alone; None without a stage."""
    if not recipe.target_stage:
        return None
    epochs = (cfg.get('train_cfg') or {}).get('max_epochs')
    begin = round((epochs or 0) * (1 - recipe.target_stage))
    if not 0 < begin < (epochs or 0):
        raise ValueError(
            f'--recipe {recipe.name} splits the epochs of a training, but '
            f'{cfg.filename} has max_epochs={epochs}; train by epochs, and '
            f'for more of them'
        )
    return begin


def _set_sampler(
    cfg: 'Config', recipe: Recipe, target_from: int | None
) -> None:
    sampler = dict(cfg.train_dataloader.get('sampler') or {})
    if cfg.train_dataloader.get('batch_sampler') or (
        name_type(sampler) not in _EQUAL_SAMPLERS
    ):
        raise ValueError(
            f'--recipe {recipe.name} chooses the images of a batch, as the '
            f'sampler {name_type(sampler) or None} of {cfg.filename} does; '
            f'use a FixedEpochSampler there, or another recipe'
        )
    sampler['type'] = 'ltvl_mm.RetrievedShareSampler'
    cfg.train_dataloader.sampler = dict(
        sampler, share=recipe.share, target_from=target_from
    )


def _find_value_field(name: str) -> str:
    if name not in _WITH_VALUE:
        raise ValueError(
            f'the recipe {name} takes no value; those of '
            f'{", ".join(_WITH_VALUE)} do'
        )
    return next(iter(RECIPES[name]))


def _read_share(name: str, value: str) -> float:
    try:
        number = float(value)
    except ValueError:
        number = -1.0
    if not 0 < number < 1:
        raise ValueError(
            f'the value of the recipe {name} must be a number in (0, 1), got '
            f'{value!r}'
        )
    return number

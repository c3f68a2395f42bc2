"""Choice of the training recipe by the loss of a config."""

from typing import TYPE_CHECKING

from ltvl_mm.apis.training_recipe import (
    AUTO,
    Recipe,
    apply_recipe,
    find_retrieved_dataset,
    parse_recipe,
)
from ltvl_mm.models.losses.mixed_labels import (
    list_phases,
    weighs_retrieved,
)
from ltvl_mm.structures.manifest_file import load_manifest
from ltvl_mm.utils.config_walk import name_type

if TYPE_CHECKING:
    from mmengine.config import Config

# Losses for which weights by probability were measured to be best.
_WEIGHTED = {'CrossEntropyLoss', 'LabelSmoothLoss', 'LogitAdjustedLoss'}
# Losses for which leaving out improbable images was measured to be best, and
# DiverseExpertLoss, of experts as RIDE's.
_FILTERED = {'LDAMLoss', 'RIDELoss', 'DiverseExpertLoss'}
# Samplers that repeat images of rare classes.
_CLASS_SAMPLERS = {
    'ClassBalancedSampler',
    'PowerSampler',
    'ProgressivelyBalancedSampler',
}
# Parts that add a loss which does not come from a loss_module.
_OTHER_TERMS = {'MemoryClsHead', 'DistilledClassifier'}


def use_recipe(cfg: 'Config', text: str = AUTO) -> str:
    """Apply a recipe to a config with retrieved images.

    Args:
        cfg: Config whose training set is, or holds, a ``TACKLEDataset``.
        text: ``'auto'``, or as :func:`.parse_recipe` takes it.

    Returns:
        A sentence for the log: the recipe, what it does, and why.

    Raises:
        ValueError: As :func:`.parse_recipe` and :func:`.apply_recipe`.
    """
    if text == AUTO:
        recipe, reason = choose_recipe(cfg)
        start = f'recipe {AUTO} chooses {recipe.name}, because {reason}'
    else:
        recipe = parse_recipe(text)
        start = f'recipe {recipe.name}'
    apply_recipe(cfg, recipe)
    return f'{start}: {recipe.describe()}'


def choose_recipe(cfg: 'Config') -> tuple[Recipe, str]:
    """Return the recipe that suits the loss of a config, and the reason.

    Args:
        cfg: Config whose training set is, or holds, a ``TACKLEDataset``.

    Raises:
        ValueError: If there are no retrieved images, or no such manifest.
    """
    manifest = load_manifest(find_retrieved_dataset(cfg)['manifest'])
    if not manifest.has_probabilities:
        return parse_recipe('plain'), (
            f'the manifest has scores of {manifest.source.get("score")!r} '
            f'and no probabilities'
        )
    if weighs_retrieved(cfg):
        return parse_recipe('plain'), 'the config weights retrieved images'
    losses = list_loss_types(cfg)
    shown = ' and '.join(sorted(losses))
    if losses & _FILTERED:
        return parse_recipe('filtered'), f'{shown} has margins or experts'
    obstacle = _find_obstacle(cfg)
    if obstacle:
        return parse_recipe('filtered'), obstacle
    if losses <= _WEIGHTED:
        return parse_recipe('weighted'), f'the loss is {shown}'
    return parse_recipe('filtered'), (
        f'no other recipe was measured with {shown}'
    )


def list_loss_types(cfg: 'Config') -> set[str]:
    """Return the types of the losses of a config, in all its phases."""
    found = set()
    for parts, losses, _, _ in list_phases(cfg):
        found |= {name_type(loss) for loss in losses}
        for part in parts:
            # Its loss is a word, and contrastive by default.
            if name_type(part) == 'CLIPContrastiveHead':
                word = part.get('loss', 'symmetric')
                found.add('CrossEntropyLoss' if word == 'class_ce' else word)
    return found or {'CrossEntropyLoss'}  # the default of mmpretrain's heads


def _find_obstacle(cfg: 'Config') -> str | None:
    """Return why images of a config are not to be weighted, if so."""
    phases = list(list_phases(cfg))
    if any(mixed for _, _, mixed, _ in phases):
        return 'the config mixes images, whose weights are not known'
    kinds = {name_type(part) for part in phases[0][0]}
    others = sorted(kinds & _OTHER_TERMS)
    if others:
        return f'{others[0]} has a loss that cannot be weighted'
    if 'DecoupledClassifier' in kinds:
        return 'a second stage trains on the features of the first'
    sampler = name_type(cfg.train_dataloader.get('sampler') or {})
    if sampler in _CLASS_SAMPLERS:
        return f'{sampler} repeats images of rare classes'
    return None

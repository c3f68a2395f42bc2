"""Description of how a config trains on retrieved images, for the log."""

from typing import TYPE_CHECKING

from ltvl_mm.apis.training_recipe import find_retrieved_dataset
from ltvl_mm.utils.config_walk import find_hook, name_type

if TYPE_CHECKING:
    from mmengine.config import Config

_COUNTED = {
    'all': 'target + retrieved images',
    'probability': 'target images + sum of probabilities',
    'none': 'target images',
}


def describe_training(cfg: 'Config') -> str:
    """Return how a config trains on retrieved images, as clauses.

    Read from the config, which may have settings that its recipe does not
    change.

    Args:
        cfg: Config whose training set is, or holds, a ``TACKLEDataset``, after
            the recipe was applied.

    Raises:
        ValueError: If the config has no retrieved images.
    """
    dataset = find_retrieved_dataset(cfg)
    parts = []
    if limit := dataset.get('min_probability'):
        parts.append(f'images below probability {limit:g} are left out')
    if dataset.get('soft_labels'):
        parts.append("labels are CLIP's distributions")
    if hook := find_hook(cfg, 'RetrievedWeightHook'):
        weight = hook.get('retrieved', 'probability')
        parts.append(
            'losses are weighted by probability'
            if weight == 'probability'
            else f'retrieved images weigh {weight} in losses'
        )
    if hook := find_hook(cfg, 'ClassCountsHook'):
        counted = hook.get('retrieved', 'all')
        parts.append(
            f'class counts of losses are {_COUNTED.get(counted, counted)}'
        )
    else:
        parts.append(
            'losses get no class counts (no ClassCountsHook in custom_hooks)'
        )
    return '; '.join([*parts, *_describe_sampler(cfg)])


def _describe_sampler(cfg: 'Config') -> list[str]:
    """Return clauses on the share and the epochs of retrieved images."""
    sampler = cfg.train_dataloader.get('sampler') or {}
    if name_type(sampler) != 'RetrievedShareSampler':
        return []
    parts = []
    if (share := sampler.get('share')) is not None:
        parts.append(f'{share:.3g} of each batch is retrieved')
    if (begin := sampler.get('target_from')) is not None:
        rate = ''
        if hook := find_hook(cfg, 'LearningRateFactorHook'):
            rate = f' at {hook["factor"]:g} times the scheduled learning rate'
        parts.append(
            f'training uses target images alone from epoch {begin + 1} on'
            f'{rate}'
        )
    return parts

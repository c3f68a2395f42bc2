"""Check that a config mixes images only for models that can use them."""

from collections.abc import Callable, Iterator, Mapping

from mmengine.config import Config

from ltvl_mm.models.losses.loss_arguments import REMEDY
from ltvl_mm.utils.config_walk import find_hook, name_type, walk_config

# Parts that need one class per image -> whether their settings say so.
HARD_LABEL_PARTS: dict[str, Callable[[Mapping], bool]] = {
    **dict.fromkeys(
        (
            'GPaCoClassifier',
            'LADELoss',
            'LDAMLoss',
            'MemoryClsHead',
            'PaCoClassifier',
            'RIDELoss',
            'ResLTLoss',
            'RoutedClassifier',
        ),
        lambda _: True,
    ),
    'CLIPContrastiveHead': lambda part: part.get('loss') != 'class_ce',
}
# Parts of a model that are not trained.
FROZEN = ('teacher', 'members')


def check_mixed_labels(cfg: Config) -> None:
    """Compare soft labels of a config with what its model can train on.

    Heads and losses refuse soft labels by themselves, but at the first batch
    that has some; with ``SwitchRecipeHook`` this may be hours later.

    Args:
        cfg: Config of a training; one without ``train_dataloader`` passes.

    Raises:
        ValueError: If a part needs one class per image while Mixup, CutMix,
            ``to_onehot`` or soft labels of retrieved images are on; or images
            are weighted by their origin and mixed. Names the part and, if it
            is not the first one, the epoch.
    """
    if cfg.get('train_dataloader') is None:
        return
    one_hot = any(
        bool(node.get('to_onehot')) for node in _list_preprocessors(cfg)
    )
    soft = any(
        bool(node.get('soft_labels'))
        for node in walk_config(
            cfg.train_dataloader.get('dataset'), skip=('pipeline',)
        )
    )
    for parts, mixed, since in _list_phases(cfg):
        if one_hot or mixed:
            reason = f'the config mixes images or labels; {REMEDY}'
            _check(parts, reason, since)
        if soft:
            reason = (
                'the retrieved images have soft labels; train with another '
                '--recipe'
            )
            _check(parts, reason, since)
        if mixed and weighs_retrieved(cfg):
            raise ValueError(
                f'RetrievedWeightHook weights each image, but{since} the '
                f'config mixes images; {REMEDY}, or train with --recipe '
                f'filtered'
            )


def _list_phases(
    cfg: Config,
) -> Iterator[tuple[list[Mapping], bool, str]]:
    """Yield the phases of a training, which SwitchRecipeHooks begin.

    Args:
        cfg: Config of a training.

    Yields:
        The configs of the trained parts of the model and of their losses,
        whether images are mixed, and ``''`` or when the phase begins.
    """
    model = cfg.get('model') or {}
    mixed = any(
        bool(node.get('augments')) for node in _find(model, 'train_cfg')
    ) or any(
        bool(node.get('batch_augments')) for node in _list_preprocessors(cfg)
    )
    losses = list(_find(model, 'loss'))
    others = [
        node for node in walk_config(model, skip=FROZEN) if node not in losses
    ]
    yield others + losses, mixed, ''
    for recipe in list_recipes(cfg):
        mixed = bool(recipe.get('batch_augments', mixed))
        if isinstance(recipe.get('loss'), Mapping):
            losses = [recipe['loss']]
        since = f' from epoch {recipe.get("action_epoch")} on'
        yield others + losses, mixed, since


def needs_hard_labels(part: Mapping) -> bool:
    """Return whether a part of a model needs one class per image."""
    name = name_type(part)
    return name in HARD_LABEL_PARTS and HARD_LABEL_PARTS[name](part)


def weighs_retrieved(cfg: Config) -> bool:
    """Return whether retrieved images have weights of their own."""
    return find_hook(cfg, 'RetrievedWeightHook') is not None


def _check(parts: list[Mapping], reason: str, since: str) -> None:
    for part in parts:
        if needs_hard_labels(part):
            name = name_type(part)
            is_named = name.startswith('CLIP') and 'loss' in part
            given = f'loss={part["loss"]!r}' if is_named else ''
            raise ValueError(
                f'{name}({given}) needs one class per image, but{since} '
                f'{reason}'
            )


def _list_preprocessors(cfg: Config) -> list[Mapping]:
    model = cfg.get('model') or {}
    shared = cfg.get('data_preprocessor') or {}
    return [shared, *_find(model, 'data_preprocessor')]


def _find(model: object, key: str) -> Iterator[Mapping]:
    """Yield the configs under a key of a model, at any depth."""
    for node in walk_config(model, skip=FROZEN):
        if isinstance(node.get(key), Mapping):
            yield node[key]


def list_recipes(cfg: Config) -> list[Mapping]:
    """Return what SwitchRecipeHooks change, in the order of their epochs.

    Args:
        cfg: Config of a training.
    """
    recipes = [
        recipe
        for hook in cfg.get('custom_hooks') or ()
        if isinstance(hook, Mapping) and name_type(hook) == 'SwitchRecipeHook'
        for recipe in hook.get('schedule') or ()
    ]
    return sorted(recipes, key=lambda recipe: recipe.get('action_epoch', 0))

"""Check that a config mixes images only for models that can use them."""

from collections.abc import Callable, Iterator, Mapping

from mmengine.config import Config

from ltvl_mm.models.loss_arguments import REMEDY
from ltvl_mm.utils.config_walk import walk_config

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
    'OriginWeightedClsHead': lambda part: part.get('retrieved') != 1,
}
# Parts of a model that are not trained.
_FROZEN = ('teacher', 'members')


def check_mixed_labels(cfg: Config) -> None:
    """Compare batch augmentations with what the model can train on.

    Heads and losses refuse soft labels by themselves, but at the first batch
    that has some; with ``SwitchRecipeHook`` this may be hours later.

    Args:
        cfg: Config of a training; one without ``train_dataloader`` passes.

    Raises:
        ValueError: If a part needs one class per image while Mixup, CutMix or
            ``to_onehot`` are on; names the part and, if it is not the first
            one, the epoch.
    """
    if cfg.get('train_dataloader') is None:
        return
    model = cfg.get('model') or {}
    shared = cfg.get('data_preprocessor') or {}
    one_hot = any(
        bool(node.get('to_onehot'))
        for node in (shared, *_find(model, 'data_preprocessor'))
    )
    mixed = any(
        bool(node.get('augments')) for node in _find(model, 'train_cfg')
    ) or any(
        bool(node.get('batch_augments'))
        for node in (shared, *_find(model, 'data_preprocessor'))
    )
    losses = list(_find(model, 'loss'))
    others = [
        node for node in walk_config(model, skip=_FROZEN) if node not in losses
    ]
    _check(others + losses, soft=one_hot or mixed, since='')
    for recipe in _list_recipes(cfg):
        mixed = bool(recipe.get('batch_augments', mixed))
        if isinstance(recipe.get('loss'), Mapping):
            losses = [recipe['loss']]
        since = f' from epoch {recipe.get("action_epoch")} on'
        _check(others + losses, soft=one_hot or mixed, since=since)


def _check(parts: list[Mapping], *, soft: bool, since: str) -> None:
    for part in parts if soft else ():
        name = _name(part)
        if name in HARD_LABEL_PARTS and HARD_LABEL_PARTS[name](part):
            setting = 'loss' if name.startswith('CLIP') else 'retrieved'
            given = f'{setting}={part[setting]!r}' if setting in part else ''
            raise ValueError(
                f'{name}({given}) needs one class per image, but{since} the '
                f'config mixes images or labels; {REMEDY}'
            )


def _name(part: Mapping) -> str:
    kind = part.get('type', '')
    kind = kind if isinstance(kind, str) else getattr(kind, '__name__', '')
    return kind.rpartition('.')[2]


def _find(model: object, key: str) -> Iterator[Mapping]:
    """Yield the configs under a key of a model, at any depth."""
    for node in walk_config(model, skip=_FROZEN):
        if isinstance(node.get(key), Mapping):
            yield node[key]


def _list_recipes(cfg: Config) -> list[Mapping]:
    """Return what SwitchRecipeHooks change, in the order of their epochs."""
    recipes = [
        recipe
        for hook in cfg.get('custom_hooks') or ()
        if isinstance(hook, Mapping) and _name(hook) == 'SwitchRecipeHook'
        for recipe in hook.get('schedule') or ()
    ]
    return sorted(recipes, key=lambda recipe: recipe.get('action_epoch', 0))

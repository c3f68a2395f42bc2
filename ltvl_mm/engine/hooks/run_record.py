"""Hook that records a training, and resumes it with its own recipe only."""

import hashlib
from typing import Any

from mmengine.config import Config
from mmengine.dist import is_main_process
from mmengine.hooks import Hook
from mmengine.runner import Runner

from ltvl_mm.utils.config_walk import find_hook, name_type, walk_config
from ltvl_mm.utils.io import hash_file
from ltvl_mm.utils.provenance import record_command
from ltvl_mm.utils.remote_paths import as_path, is_remote
from ltvl_mm.utils.run_config import write_run_config

KEY = 'ltvl_mm_recipe'
NO_RECIPE = 'none'


class RunRecordHook(Hook):
    """Record command, config and recipe of a training.

    ``tools/train.py`` adds this hook. Command and config are written into
    the work folder, the recipe into checkpoints. A training that resumes
    must have the recipe of its checkpoint.

    Args:
        cfg: Config of the training, after the recipe was applied.

    Raises:
        ValueError: When resuming, if the checkpoint has another recipe.
    """

    # Before hooks that fail at the start of a training.
    priority = 'HIGHEST'

    def __init__(self, cfg: Config) -> None:
        self.cfg = cfg
        self.recipe = describe_recipe(cfg)

    def after_load_checkpoint(self, runner: Runner, checkpoint: dict) -> None:
        """Compare the recipes if the training is resumed."""
        if runner._resume:
            meta = checkpoint.get('meta')
            before = meta.get(KEY) if isinstance(meta, dict) else None
            check_same_recipe(before, self.recipe)

    def before_train(self, runner: Runner) -> None:
        """Write command and config, unless the training was refused."""
        if is_main_process():
            record_command(self.cfg.work_dir)
            write_run_config(self.cfg)

    def before_save_checkpoint(self, runner: Runner, checkpoint: dict) -> None:
        """Add the recipe to a checkpoint."""
        checkpoint['meta'][KEY] = self.recipe


def describe_recipe(cfg: Config) -> dict[str, Any]:
    """Return the recipe of a config and the settings that it results in.

    Args:
        cfg: Config of a training, after the recipe was applied.

    Returns:
        Plain data: ``recipe``, a name or ``'none'``, and ``settings``, which
        do not depend on the folder of the manifest.
    """
    loader = cfg.get('train_dataloader') or {}
    datasets = [
        sub_config
        for sub_config in walk_config(
            loader.get('dataset'), skip=('pipeline',)
        )
        if name_type(sub_config) == 'TACKLEDataset'
    ]
    weights = find_hook(cfg, 'RetrievedWeightHook')
    counts = find_hook(cfg, 'ClassCountsHook') or {}
    rate = find_hook(cfg, 'LearningRateFactorHook') or {}
    sampler = loader.get('sampler') or {}
    if name_type(sampler) != 'RetrievedShareSampler':
        sampler = {}
    settings = {
        'manifest': [_hash_manifest(one.get('manifest')) for one in datasets],
        'min_probability': [
            one.get('min_probability') or 0.0 for one in datasets
        ],
        'soft_labels': [bool(one.get('soft_labels')) for one in datasets],
        'weights': weights and weights.get('retrieved', 'probability'),
        'counts': counts.get('retrieved', 'all'),
        'share': sampler.get('share'),
        'target_from': sampler.get('target_from'),
        'target_rate': rate.get('factor', 1.0),
    }
    return {'recipe': cfg.get('recipe') or NO_RECIPE, 'settings': settings}


def check_same_recipe(before: object, now: dict[str, Any]) -> None:
    """Raise ValueError if a training would resume with another recipe.

    Args:
        before: Recipe of the checkpoint, as of :func:`describe_recipe`. None,
            of an earlier version, is accepted.
        now: Recipe of the training that resumes.
    """
    if not isinstance(before, dict):
        return
    settings = before.get('settings')
    if not isinstance(settings, dict):
        return
    different = [
        f'{name} was {settings.get(name)!r:.80} and is {value!r:.80}'
        for name, value in now['settings'].items()
        if settings.get(name) != value
    ]
    if different:
        raise ValueError(
            f'the checkpoint to resume from was trained with the recipe '
            f'{before.get("recipe")}, but this training has the recipe '
            f'{now["recipe"]} ({"; ".join(different)}); give the options '
            f'--retrieved and --recipe of the checkpoint, or train without '
            f'--resume in another folder'
        )


def _hash_manifest(manifest: object) -> str | None:
    """Return the sha256 of a manifest; None if it does not exist."""
    path = as_path(str(manifest))
    if not path.is_file():
        return None  # building the data set names the file
    if is_remote(path):
        return hashlib.sha256(path.read_bytes()).hexdigest()
    return hash_file(path)

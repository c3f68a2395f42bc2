"""Train BALLAD's adapter as a config does, without a runner."""

import copy

import torch
from mmengine.config import Config
from mmengine.optim import OptimWrapper, build_optim_wrapper
from mmengine.registry import PARAM_SCHEDULERS
from mmengine.runner import Runner
from mmpretrain.registry import MODELS
from torch import nn
from torch.utils.data import DataLoader

from ltvl_mm.utils.progress import progress_bar


def train_adapter(
    cfg: Config, loader: DataLoader, head: nn.Module, *, title: str = 'adapter'
) -> nn.Module:
    """Return the classifier of a config, trained for its epochs.

    Args:
        cfg: Config of phase B.
        loader: Loader of its training data.
        head: Its head, which trains unless it is frozen.
        title: Name in the progress bar.
    """
    epochs = cfg.train_cfg.max_epochs
    model = _build_model(cfg, head)
    optim = build_optim_wrapper(model, cfg.optim_wrapper)
    if scales_rate(cfg):
        factor = count_step_images(cfg) / cfg.auto_scale_lr.base_batch_size
        for group in optim.param_groups:
            group['lr'] *= factor
    optim.initialize_count_status(model, 0, epochs * len(loader))
    schedulers = _build_schedulers(cfg, optim, len(loader))
    model.train()
    with progress_bar(
        total=epochs * len(loader), title=title, unit='steps'
    ) as bar:
        for epoch in range(epochs):
            if hasattr(loader.sampler, 'set_epoch'):
                loader.sampler.set_epoch(epoch)
            for batch in loader:
                model.train_step(batch, optim)
                _step(schedulers, by_epoch=False)
                bar.update()
            _step(schedulers, by_epoch=True)
    return model.eval()


def build_loader(cfg: Config) -> DataLoader:
    """Return the training loader, which reads in this process."""
    settings = copy.deepcopy(cfg.train_dataloader)
    settings.update(num_workers=0, persistent_workers=False)
    for name in ('prefetch_factor', 'multiprocessing_context'):
        settings.pop(name, None)
    return Runner.build_dataloader(settings, seed=_find_seed(cfg))


def count_step_images(cfg: Config) -> int:
    """Return the images of a step of the optimizer in one process."""
    batches = cfg.optim_wrapper.get('accumulative_counts', 1)
    return cfg.train_dataloader.batch_size * batches


def scales_rate(cfg: Config) -> bool:
    """Return whether a config scales its rate to the batch size."""
    return bool((cfg.get('auto_scale_lr') or {}).get('enable'))


def _build_model(cfg: Config, head: nn.Module) -> nn.Module:
    """Return the classifier of a config with a new adapter."""
    settings = copy.deepcopy(cfg.model)
    settings.head = None
    if cfg.get('data_preprocessor') is not None:
        settings.setdefault('data_preprocessor', cfg.data_preprocessor)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(_find_seed(cfg))
        model = MODELS.build(settings)
        if model.neck.init_cfg is not None:
            model.neck.init_weights()
    model.head = head
    return model


def _build_schedulers(
    cfg: Config, optim: OptimWrapper, epoch_length: int
) -> list:
    """Return the schedulers of a config, as mmengine's runner builds them."""
    configs = cfg.get('param_scheduler') or []
    schedulers = []
    for one in configs if isinstance(configs, list) else [configs]:
        settings = copy.deepcopy(one)
        epochs = cfg.train_cfg.max_epochs
        by_epoch = settings.get('by_epoch', True)
        settings.setdefault('end', epochs * (1 if by_epoch else epoch_length))
        schedulers.append(
            PARAM_SCHEDULERS.build(
                settings,
                default_args=dict(optimizer=optim, epoch_length=epoch_length),
            )
        )
    return schedulers


def _step(schedulers: list, *, by_epoch: bool) -> None:
    """Step the schedulers that change by epoch, or those by iteration."""
    for scheduler in schedulers:
        if scheduler.by_epoch == by_epoch:
            scheduler.step()


def _find_seed(cfg: Config) -> int:
    """Return the seed of a config; 0 if each of its trainings draws one."""
    return (cfg.get('randomness') or {}).get('seed') or 0

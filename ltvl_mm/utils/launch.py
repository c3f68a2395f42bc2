"""Start of distributed processes, of mmengine and of tools."""

import os
from datetime import timedelta
from typing import Any

import torch
from mmengine.config import Config
from mmengine.dist import broadcast_object_list


def prepare_launch(cfg: Config, launcher: str) -> None:
    """Set the launcher; without a GPU, start gloo and fit the wrapper.

    mmengine asks CUDA for a device when it starts a distributed run, and
    wraps the model for it: both fail on a machine without one.

    Args:
        cfg: Is changed.
        launcher: ``'none'``, ``'pytorch'``, ``'slurm'`` or ``'mpi'``.
    """
    cfg.launcher = launcher
    if launcher != 'pytorch' or torch.cuda.is_available():
        return
    torch.distributed.init_process_group('gloo')
    # An own wrapper hides the top-level key from the Runner.
    cfg.model_wrapper_cfg = dict(
        type='MMDistributedDataParallel',
        device_ids=None,
        find_unused_parameters=cfg.get('find_unused_parameters', False),
    )


def add_progress_bar(cfg: Config) -> None:
    """Add the hook that shows rate and time left, if a config lacks it.

    Args:
        cfg: Config to change.
    """
    hook = dict(type='ltvl_mm.ProgressBarHook')
    hooks = cfg.get('custom_hooks') or []
    cfg.custom_hooks = hooks if hook in hooks else [*hooks, hook]


def set_dataloader_defaults(
    cfg: Config,
    name: str,
    *,
    pin_memory: bool,
    persistent_workers: bool = True,
) -> None:
    """Give a loader of ``cfg`` mmengine's defaults where it has none.

    Args:
        cfg: Is changed.
        name: E.g. ``'train_dataloader'``.
        pin_memory: False overrules the config.
        persistent_workers: False overrules the config.
    """
    loader = cfg.get(name)
    if loader is None:
        return
    loader.setdefault('pin_memory', torch.cuda.is_available())
    loader.setdefault('collate_fn', dict(type='default_collate'))
    # Torch refuses to keep workers that there are not.
    loader.setdefault('persistent_workers', loader.get('num_workers', 0) > 0)
    if not pin_memory:
        loader.pin_memory = False
    if not persistent_workers:
        loader.persistent_workers = False


def init_distributed() -> int:
    """Return this process's rank among those that torchrun started, or 0."""
    if 'RANK' not in os.environ:
        return 0
    # The ranks only meet at the end, and one may be days behind.
    torch.distributed.init_process_group('gloo', timeout=timedelta(days=30))
    if torch.cuda.is_available():
        torch.cuda.set_device(int(os.environ['LOCAL_RANK']))
    return torch.distributed.get_rank()


def broadcast_object(content: Any) -> Any:  # noqa: ANN401
    """Return what rank 0 has on every rank."""
    shared = [content]
    broadcast_object_list(shared)
    return shared[0]

"""Choose how BALLAD's adapter is trained, on val and cached features."""

import copy
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import torch
import torch.nn.functional as F
from mmengine.config import Config
from mmengine.registry import init_default_scope
from mmpretrain.registry import DATASETS, MODELS
from torch import nn

from ltvl_mm.apis.adapter_training import (
    build_loader,
    count_step_images,
    scales_rate,
    train_adapter,
)
from ltvl_mm.datasets.cached_features import CachedFeatures
from ltvl_mm.evaluation.functional import (
    compute_class_accuracies,
    summarize_accuracies,
)
from ltvl_mm.models.necks.balanced_linear_adapter import BalancedLinearAdapter
from ltvl_mm.structures.class_counts import group_classes
from ltvl_mm.utils.config_options import format_config_options

# Images of a step of BALLAD's code, which its learning rate is for.
BASE_BATCH_SIZE = 512
_EXAMPLE = 'configs/ballad/ballad-b-cached_rn50_1xb512-10e_imagenet-lt.py'


@dataclass(frozen=True)
class AdapterPreset:
    """Numbers of phase B that decide how far the adapter moves.

    Args:
        ratio: Share of the mapped features, in [0, 1].
        rate: Initial learning rate for steps of 512 images, > 0. It is scaled
            linearly to the images of a step.
        weight_decay: Weight decay, >= 0.
    """

    ratio: float = 0.2
    rate: float = 0.2
    weight_decay: float = 5e-4

    def make_options(self, cfg: Config) -> dict[str, float]:
        """Return the entries of a config that train this preset.

        Args:
            cfg: Config of phase B. With ``auto_scale_lr.enable``, the
                learning rate is for its ``base_batch_size``, otherwise for
                the images of a step in one process.
        """
        images = count_step_images(cfg)
        if scales_rate(cfg):
            images = cfg.auto_scale_lr.base_batch_size
        rate = self.rate * images / BASE_BATCH_SIZE
        return {
            'model.neck.ratio': self.ratio,
            # As it is printed.
            'optim_wrapper.optimizer.lr': float(f'{rate:g}'),
            'optim_wrapper.optimizer.weight_decay': self.weight_decay,
        }


# The official one is that of BALLAD's code; the others are ours.
PRESETS = {
    'official': AdapterPreset(),
    'small_tail_decay': AdapterPreset(weight_decay=0.1),
    'small_tail_rate': AdapterPreset(rate=0.01),
    'small_tail_ratio': AdapterPreset(ratio=0.05),
}


def tune_adapter(
    cfg: Config, *, presets: Mapping[str, AdapterPreset] = PRESETS
) -> list[dict]:
    """Train an adapter per preset on a config's cached features.

    Each adapter is trained as ``tools/train.py`` trains it with the preset's
    options in one process: the same batches, optimizer, schedule and loss,
    but no hooks and no checkpoints.

    Args:
        cfg: A config whose data sets are ``CachedFeatures``, such as
            ``configs/ballad/ballad-b-cached_rn50_1xb512-10e_imagenet-lt.py``.
        presets: Name -> numbers.

    Returns:
        For each preset, ``preset``, ``options`` for ``--cfg-options``, and
        accuracies on val in percent: ``all``, those of the groups, and
        ``class_mean``.

    Raises:
        ValueError: If the data sets are not cached features, the neck is not
            a ``BalancedLinearAdapter``, or the training has no epochs.
    """
    init_default_scope(cfg.get('default_scope', 'mmpretrain'))
    _check_config(cfg)
    loader = build_loader(cfg)
    train = loader.dataset
    val = DATASETS.build(cfg.val_dataloader.dataset)
    head = MODELS.build(cfg.model.head)
    with torch.no_grad():
        head.prototypes()  # a frozen text tower encodes the classes once
    # Samples are views of images; groups count images.
    labels = train.get_gt_labels()[: len(train.cache.views[0])]
    counts = np.bincount(labels, minlength=len(train.CLASSES))
    groups = group_classes(counts)
    rows = []
    for name, preset in presets.items():
        options = preset.make_options(cfg)
        own = copy.deepcopy(cfg)
        own.merge_from_dict(options)
        model = train_adapter(own, loader, copy.deepcopy(head), title=name)
        rows.append(
            {
                'preset': name,
                'options': ' '.join(format_config_options(options)),
                **_score(model, val, groups),
            }
        )
    return rows


def _check_config(cfg: Config) -> None:
    """Raise ValueError unless presets can be tuned with a config."""
    for split in ('train', 'val'):
        loader = cfg.get(f'{split}_dataloader')
        if loader is None:
            raise ValueError(
                f'the config has no {split}_dataloader, got None; adapters '
                f'are tuned on cached features of train and val, see '
                f'{_EXAMPLE}'
            )
        kind = loader.dataset.get('type')
        found = DATASETS.get(kind) if isinstance(kind, str) else kind
        if found is not CachedFeatures:
            raise ValueError(
                f'{split}_dataloader.dataset must be ltvl_mm.CachedFeatures, '
                f'got {kind}; make the cache with tools/cache_features.py, '
                f'and see {_EXAMPLE}'
            )
    neck = cfg.model.get('neck')
    kind = (neck or {}).get('type')
    found = MODELS.get(kind) if isinstance(kind, str) else kind
    if found is not BalancedLinearAdapter:
        raise ValueError(
            f'model.neck must be ltvl_mm.BalancedLinearAdapter, whose ratio '
            f'and learning rate are tuned, got {neck}; see {_EXAMPLE}'
        )
    epochs = cfg.train_cfg.get('max_epochs')
    if type(epochs) is not int or epochs < 1 or 'max_iters' in cfg.train_cfg:
        raise ValueError(
            f'train_cfg must hold max_epochs >= 1 and no max_iters, got '
            f'{dict(cfg.train_cfg)}; adapters are trained for the epochs of '
            f'the config'
        )


def _score(
    model: nn.Module, val: CachedFeatures, groups: np.ndarray
) -> dict[str, float]:
    """Return the accuracies on the first view of val, in percent."""
    view = torch.from_numpy(np.array(val.cache.views[0]))
    labels = val.get_gt_labels()[: len(view)]
    with torch.inference_mode():
        features = F.normalize(model.neck((view,))[-1], dim=1)
        pred = (features @ model.head.prototypes().T).argmax(1).numpy()
    means = compute_class_accuracies(pred, labels, len(groups))
    return {
        **summarize_accuracies(pred, labels, groups),
        'class_mean': float(np.nanmean(means)),
    }

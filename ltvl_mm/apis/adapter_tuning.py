"""Choose how BALLAD's adapter is trained, on val and cached features."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F
from mmengine.config import Config
from mmengine.registry import init_default_scope
from mmpretrain.registry import DATASETS, MODELS

from ltvl_mm.datasets.cached_features import CachedFeatures
from ltvl_mm.evaluation.functional import (
    compute_class_accuracies,
    summarize_accuracies,
)
from ltvl_mm.models.necks.balanced_linear_adapter import BalancedLinearAdapter
from ltvl_mm.structures.class_counts import group_classes
from ltvl_mm.utils.progress import progress_bar


@dataclass(frozen=True)
class AdapterPreset:
    """Numbers of phase B that decide how far the adapter moves.

    Args:
        ratio: Share of the mapped features, in [0, 1].
        rate: Learning rate of SGD at the start, > 0; falls to 0 as a cosine.
        weight_decay: Weight decay of SGD, >= 0.
    """

    ratio: float = 0.2
    rate: float = 0.2
    weight_decay: float = 5e-4

    def describe(self) -> str:
        """Return the words of ``--cfg-options`` that train so."""
        return (
            f'model.neck.ratio={self.ratio:g} '
            f'optim_wrapper.optimizer.lr={self.rate:g} '
            f'optim_wrapper.optimizer.weight_decay={self.weight_decay:g}'
        )


# The official one is that of BALLAD's code; the others are ours.
PRESETS = {
    'official': AdapterPreset(),
    'small_tail_decay': AdapterPreset(weight_decay=0.1),
    'small_tail_rate': AdapterPreset(rate=0.01),
    'small_tail_ratio': AdapterPreset(ratio=0.05),
}


@dataclass(frozen=True)
class LabeledFeatures:
    """Features of N images in V views each, with labels.

    Attributes:
        views: V float32 tensors (N, D).
        labels: (N,) int64, in [0, K).
    """

    views: Sequence[torch.Tensor]
    labels: np.ndarray


def tune_adapter(
    cfg: Config, *, presets: Mapping[str, AdapterPreset] = PRESETS
) -> list[dict]:
    """Train an adapter per preset on a config's cached features.

    As phase B trains it: SGD with momentum 0.9 and a cosine schedule,
    cross-entropy over the texts of the classes, batches in which classes are
    equally frequent; as many iterations and images as the config has.

    Args:
        cfg: A config whose data sets are ``CachedFeatures``, such as
            ``configs/ballad/ballad-b-cached_rn50_1xb512-10e_imagenet-lt.py``.
        presets: Name -> numbers.

    Returns:
        For each preset, ``preset``, ``options`` for ``--cfg-options``, and
        accuracies on val in percent: ``all``, those of the groups, and
        ``class_mean``.

    Raises:
        ValueError: If the data sets are not cached features.
    """
    init_default_scope(cfg.get('default_scope', 'mmpretrain'))
    train, val = (_read_split(cfg, split) for split in ('train', 'val'))
    head = MODELS.build(cfg.model.head)
    with torch.no_grad():
        texts, scale = head.prototypes(), float(head._scale())
    batch_size = int(cfg.train_dataloader.batch_size)
    sampler = cfg.train_dataloader.get('sampler') or {}
    per_epoch = int(sampler.get('epoch_size') or len(train.labels))
    iterations = int(cfg.train_cfg.max_epochs) * -(-per_epoch // batch_size)
    neck = {key: value for key, value in cfg.model.neck.items()}
    counts = np.bincount(train.labels, minlength=len(texts))
    groups = group_classes(counts)
    rows = []
    for name, preset in presets.items():
        adapter = train_adapter(
            train,
            texts,
            preset,
            neck=neck,
            scale=scale,
            batch_size=batch_size,
            iterations=iterations,
            seed=int(cfg.randomness.seed),
            title=name,
        )
        with torch.inference_mode():
            features = adapter((val.views[0],))[-1]
            pred = (F.normalize(features, dim=1) @ texts.T).argmax(1).numpy()
        means = compute_class_accuracies(pred, val.labels, len(texts))
        rows.append(
            {
                'preset': name,
                'options': preset.describe(),
                **summarize_accuracies(pred, val.labels, groups),
                'class_mean': float(np.nanmean(means)),
            }
        )
    return rows


def train_adapter(
    train: LabeledFeatures,
    texts: torch.Tensor,
    preset: AdapterPreset,
    *,
    neck: Mapping[str, Any] | None = None,
    scale: float,
    batch_size: int,
    iterations: int,
    seed: int = 0,
    title: str = 'adapter',
) -> BalancedLinearAdapter:
    """Return an adapter trained on class-balanced batches of features.

    Args:
        train: Training features.
        texts: (K, D) features of the classes, L2-normalized.
        preset: Numbers of the training.
        neck: Further arguments of the adapter, such as ``bias``; its
            ``ratio``, ``dim`` and ``arch`` are ignored.
        scale: Factor on cosines that gives logits, > 0.
        batch_size: Images of an iteration.
        iterations: Steps of SGD.
        seed: Seed of the weights and of the batches.
        title: Name in the progress bar.
    """
    ours = ('type', 'ratio', 'dim', 'arch', '_scope_')
    options = {k: v for k, v in (neck or {}).items() if k not in ours}
    generator = torch.Generator().manual_seed(seed)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        adapter = BalancedLinearAdapter(
            texts.shape[1], ratio=preset.ratio, **options
        )
    optimizer = torch.optim.SGD(
        adapter.parameters(),
        lr=preset.rate,
        momentum=0.9,
        weight_decay=preset.weight_decay,
    )
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(
        optimizer, iterations
    )
    labels = torch.from_numpy(np.asarray(train.labels))
    counts = torch.bincount(labels, minlength=len(texts))
    weights = (1.0 / counts.clamp(min=1).double())[labels]
    with progress_bar(total=iterations, title=title, unit='steps') as bar:
        for _ in range(iterations):
            rows = torch.multinomial(
                weights, batch_size, replacement=True, generator=generator
            )
            view = torch.randint(len(train.views), (), generator=generator)
            features = adapter((train.views[view][rows],))[-1]
            logits = scale * F.normalize(features, dim=1) @ texts.T
            optimizer.zero_grad()
            F.cross_entropy(logits, labels[rows]).backward()
            optimizer.step()
            schedule.step()
            bar.update()
    return adapter.eval()


def _read_split(cfg: Config, split: str) -> LabeledFeatures:
    loader = cfg.get(f'{split}_dataloader')
    if loader is None:
        raise ValueError(
            f'the config has no {split}_dataloader, got None; adapters are '
            f'tuned on cached features of train and val, see '
            f'configs/ballad/ballad-b-cached_rn50_1xb512-10e_imagenet-lt.py'
        )
    dataset = DATASETS.build(loader.dataset)
    if not isinstance(dataset, CachedFeatures):
        raise ValueError(
            f'{split}_dataloader.dataset must be ltvl_mm.CachedFeatures, got '
            f'{type(dataset).__name__}; make the cache with '
            f'tools/cache_features.py, and see '
            f'configs/ballad/ballad-b-cached_rn50_1xb512-10e_imagenet-lt.py'
        )
    views = dataset.cache.views
    return LabeledFeatures(
        [torch.from_numpy(np.array(view)) for view in views],
        dataset.get_gt_labels()[: len(views[0])],
    )

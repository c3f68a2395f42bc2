"""Store what a frozen backbone makes of the images of a config."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import torch
from mmengine.config import Config
from mmengine.dist import is_main_process
from mmengine.runner import Runner
from torch import nn

from ltvl_mm.registry import DATASETS, MODELS
from ltvl_mm.structures.classification_dataset import ClassificationDataset
from ltvl_mm.structures.feature_cache import (
    FeatureCache,
    begin_cache,
    describe_source,
    find_trained_weights,
    has_view,
    open_cache,
    write_view,
)
from ltvl_mm.utils.lock import locks_output
from ltvl_mm.utils.progress import progress_bar
from ltvl_mm.utils.rng import seed_libraries


@locks_output('out')
def cache_features(
    cfg: Config,
    split: str,
    out: Path,
    *,
    views: int,
    device: str = 'cpu',
) -> FeatureCache:
    """Write the backbone's features of one split, or finish a begun cache.

    View v is one pass of the split through its pipeline, seeded by the
    config's seed and v: a run that was killed resumes at the first missing
    view and ends with the same files.

    Args:
        cfg: Config of an uncached training; its backbone is frozen.
        split: ``'train'``, ``'val'`` or ``'test'``: whose data loader.
        out: Folder of the split's cache.
        views: Number of passes V, >= 1.
        device: Device of the backbone.

    Raises:
        ValueError: If the config has no such loader, the backbone is not
            frozen or names no checkpoint, or ``out`` was begun from other
            weights, another pipeline or other images.
    """
    if views < 1:
        raise ValueError(f'views must be >= 1, got {views}')
    # Pipelines look for the preprocessing of the same weights.
    find_trained_weights(cfg.model.backbone)
    dataset, loader_cfg = build_split(cfg, split)
    source = describe_source(
        cfg.model.backbone, cfg.data_preprocessor, loader_cfg.dataset, dataset
    )
    seed = cfg.randomness.seed
    begin_cache(out, source, seed)
    missing = [number for number in range(views) if not has_view(out, number)]
    if missing:
        encode = _Encoder(cfg, device)
    for number in missing:
        title = f'{split}, view {number + 1} of {views}'
        seed_libraries(seed, number)
        batches = load_batches(loader_cfg, dataset, title)
        write_view(out, number, np.concatenate([encode(b) for b in batches]))
    return open_cache(out, views)


class _Encoder:
    """Batch of a data loader -> (B, D) float32 features."""

    def __init__(self, cfg: Config, device: str) -> None:
        self.backbone: nn.Module = MODELS.build(cfg.model.backbone)
        if any(p.requires_grad for p in self.backbone.parameters()):
            raise ValueError(
                'the backbone is trained, so that its features change; only '
                'those of a frozen one can be cached (frozen=True)'
            )
        self.preprocess: nn.Module = MODELS.build(
            {'type': 'ClsDataPreprocessor', **cfg.data_preprocessor}
        )
        self.backbone.eval().to(device)
        self.preprocess.to(device)

    @torch.inference_mode()
    def __call__(self, batch: dict) -> np.ndarray:
        images = self.preprocess(batch)['inputs']
        return self.backbone(images)[-1].float().cpu().numpy()


def build_split(
    cfg: Config, split: str
) -> tuple[ClassificationDataset, Config]:
    """Return data set and loader config of a split.

    Raises:
        ValueError: If the config has no such loader.
    """
    loader_cfg = cfg.get(f'{split}_dataloader')
    if loader_cfg is None:
        raise ValueError(f'the config has no {split}_dataloader')
    return DATASETS.build(loader_cfg.dataset), loader_cfg


def load_batches(
    loader_cfg: Config, dataset: ClassificationDataset, title: str
) -> Iterator[dict]:
    """Yield the batches of a data set once, in its order, with progress.

    Args:
        loader_cfg: Data loader config; its ``batch_size`` and ``num_workers``
            are used.
        dataset: Data set to read. If there are several processes, each reads
            an equal share of it.
        title: Title of the progress bar.
    """
    loader = Runner.build_dataloader(
        {
            'dataset': dataset,
            'batch_size': loader_cfg.batch_size,
            'num_workers': loader_cfg.num_workers,
            'sampler': {
                'type': 'DefaultSampler',
                'shuffle': False,
                'round_up': False,  # no image twice
            },
            'worker_init_fn': {'type': 'ltvl_mm.seed_worker'},
            'collate_fn': {'type': 'default_collate'},
        }
    )
    with progress_bar(
        total=len(loader.sampler),
        title=title,
        unit='img',
        silent=not is_main_process(),
    ) as bar:
        for batch in loader:
            yield batch
            bar.update(len(batch['inputs']))

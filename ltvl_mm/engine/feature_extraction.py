"""What stands before a trained model's classifier, for a split."""

import numpy as np
import torch
from mmengine.config import Config
from mmengine.registry import init_default_scope

from ltvl_mm.engine.feature_caching import load_batches
from ltvl_mm.registry import DATASETS, MODELS
from ltvl_mm.structures.features import Features
from ltvl_mm.utils.checkpoints import read_weights

SPLITS = ('train', 'val', 'test')


@torch.inference_mode()
def extract_features(
    cfg: Config, checkpoint: str, split: str, *, device: str = 'cpu'
) -> Features:
    """Return the features of the images of a split, in the order of its list.

    Training images pass the transforms of val or test, not those of training.

    Args:
        cfg: Of a classifier of the host.
        checkpoint: Its weights, or the folder of its training.
        split: ``'train'``, ``'val'`` or ``'test'``.
        device: Where the model runs.

    Raises:
        ValueError: If the config has no such data, or the checkpoint does
            not fit the model.
    """
    if split not in SPLITS:
        raise ValueError(f'split must be one of {SPLITS}, got {split!r}')
    loader_cfg = cfg.get(f'{split}_dataloader')
    if loader_cfg is None:
        raise ValueError(f'the config has no {split}_dataloader')
    init_default_scope(cfg.get('default_scope', 'mmpretrain'))
    if split == 'train':
        other = cfg.get('val_dataloader') or cfg.test_dataloader
        dataset = DATASETS.build(loader_cfg.dataset)
        dataset.pipeline = DATASETS.build(other.dataset).pipeline
        loader_cfg = other
    else:
        dataset = DATASETS.build(loader_cfg.dataset)
    model = _build_model(cfg, checkpoint).to(device)
    found, labels, paths = [], [], []
    for batch in load_batches(loader_cfg, dataset, split):
        data = model.data_preprocessor(batch)
        found.append(
            model.extract_feat(data['inputs'], stage='pre_logits')
            .float()
            .cpu()
            .numpy()
        )
        for sample in data['data_samples']:
            labels.append(int(sample.gt_label))
            paths.append(sample.img_path)
    return Features(np.concatenate(found), np.array(labels), tuple(paths))


def _build_model(cfg: Config, checkpoint: str) -> torch.nn.Module:
    model = MODELS.build(
        {'data_preprocessor': cfg.get('data_preprocessor'), **cfg.model}
    )
    try:
        model.load_state_dict(read_weights(checkpoint))
    except RuntimeError as error:
        raise ValueError(
            f'{checkpoint} does not fit the config: {error}'
        ) from None
    return model.eval()

"""A checkpoint such as phase A leaves, without training."""

import torch
from mmengine.registry import DefaultScope

from ltvl_mm.registry import MODELS


def write_toy_classifier(path, *, arch='ltvl-toy', seed=0, **parts):
    """Save a toy classifier of random weights; return its path."""
    torch.manual_seed(seed)
    with DefaultScope.overwrite_default_scope('mmpretrain'):
        model = MODELS.build(
            dict(
                type='ImageClassifier',
                backbone=dict(type='ltvl_mm.CLIPBackbone', arch=arch),
                head=dict(type='ltvl_mm.CLIPContrastiveHead', arch=arch),
                **parts,
            )
        )
    torch.save({'meta': {}, 'state_dict': model.state_dict()}, path)
    return path

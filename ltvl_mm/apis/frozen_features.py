"""Warn of a text-initialized classifier with unsuitable settings."""

import logging
from collections.abc import Mapping

from mmengine.config import Config
from mmengine.logging import print_log

from ltvl_mm.utils.config_walk import name_type

# Measured on features of CLIP ViT-B/32.
SCALE = 100.0
MAX_RATE = 0.002
_DEFAULT_SCALE = 25.0  # of TextInitClsHead


def warn_of_frozen_features(cfg: Config) -> None:
    """Log a warning if ``TextInitClsHead`` trains badly on frozen features.

    With frozen features only the classifier moves away from the text
    features. With a scale of 25, as in LIFT, it lost 13 to 19 points
    few-shot. Silent if the features train, such as those of LIFT, or if the
    classifier continues from a first stage.

    Args:
        cfg: Config of a training; one without a model or training passes.
    """
    model = cfg.get('model') or {}
    head = model.get('head') or {}
    if cfg.get('train_dataloader') is None or (
        not isinstance(head, Mapping)
        or name_type(head) != 'TextInitClsHead'
        or not _is_frozen(model.get('backbone') or {})
        or 'head' in (model.get('begun') or {})
    ):
        return
    scale = head.get('scale', _DEFAULT_SCALE)
    optimizer = (cfg.get('optim_wrapper') or {}).get('optimizer') or {}
    rate = optimizer.get('lr')
    found = []
    if scale < SCALE:
        found.append(f'scale={scale:g}')
    if rate is not None and rate > MAX_RATE:
        found.append(f'a learning rate of {rate:g}')
    if found:
        print_log(
            f'TextInitClsHead trains on frozen features with '
            f'{" and ".join(found)}; a scale of 25 cost 13 to 19 points of '
            f'few-shot accuracy on features of CLIP ViT-B/32. Use '
            f'scale={SCALE:g} and a learning rate of at most {MAX_RATE:g}',
            'current',
            level=logging.WARNING,
        )


def _is_frozen(backbone: Mapping) -> bool:
    """Return whether a backbone's features are cached or not trained."""
    return name_type(backbone) == 'IdentityBackbone' or bool(
        backbone.get('frozen')
    )

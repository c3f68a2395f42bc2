"""Backbones, necks, heads, losses and classifiers."""

from ltvl_mm.models import backbones, classifiers, heads, losses, necks
from ltvl_mm.utils.lazy_imports import attach_names

__getattr__, __dir__, __all__ = attach_names(
    __name__,
    {
        'backbones': backbones.__all__,
        'classifiers': classifiers.__all__,
        'clip_parts': [
            'CLIPBackbone',
            'CLIPContrastiveHead',
            'TextInitClsHead',
        ],
        'heads': heads.__all__,
        'losses': losses.__all__,
        'necks': necks.__all__,
    },
)

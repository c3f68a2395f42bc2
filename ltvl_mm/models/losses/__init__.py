"""Losses for long-tailed data."""

from ltvl_mm.utils.lazy_imports import attach_names

__getattr__, __dir__, __all__ = attach_names(
    __name__,
    {
        'expert_losses': ['DiverseExpertLoss', 'RIDELoss'],
        'lade_loss': ['LADELoss'],
        'ldam_loss': ['LDAMLoss'],
        'logit_adjusted_loss': ['LogitAdjustedLoss'],
        'paco_loss': ['PaCoLoss'],
        'reslt_loss': ['ResLTLoss'],
    },
)

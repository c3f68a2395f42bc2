"""TADE: loss, hooks and views of test images, on top of a RIDE config.

Source: Zhang et al. 2021 (arXiv 2107.09249) and its code.
"""

_base_ = '../datasets/expert_views.py'

tade_loss = dict(_delete_=True, type='ltvl_mm.DiverseExpertLoss')
# In place of RIDE's, which re-weights in the end.
tade_hooks = [
    dict(type='ltvl_mm.EpochSeedHook'),
    dict(type='ltvl_mm.ClassCountsHook'),
]

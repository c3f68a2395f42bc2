"""BALLAD's phase B as its authors' code trains it.

Source: as ballad_official_a.py. Both towers are frozen; the adapter is a
linear map without bias and activation, of features that are not normalised,
from torch's random weights; classes come in turn, four images of each.
"""

_base_ = './ballad_official_a.py'

max_epochs = 10

model = dict(
    backbone=dict(frozen=True),
    neck=dict(
        type='ltvl_mm.BalancedLinearAdapter',
        ratio=0.2,
        activation=None,
        bias=False,
        normalize=None,
        init='default',
    ),
    head=dict(frozen=True),
)
balanced_sampler = dict(
    type='ltvl_mm.ClassBalancedSampler', samples_per_class=4
)
optim_wrapper = dict(optimizer=dict(lr=0.2))
param_scheduler = [dict(type='CosineAnnealingLR', T_max=max_epochs)]
train_cfg = dict(max_epochs=max_epochs)

"""BALLAD's phase B as its authors' code trains it.

Source: as ballad_official_a.py. Both towers are frozen; the adapter is a
linear map without bias and activation, of features that are not normalized,
from torch's random weights; classes come in turn, four images of each.
"""

max_epochs = 10
arch = 'RN50-quickgelu'

model = dict(
    type='ImageClassifier',
    backbone=dict(
        type='ltvl_mm.CLIPBackbone', arch=arch, freeze_bn=True, frozen=True
    ),
    neck=dict(
        type='ltvl_mm.BalancedLinearAdapter',
        arch=arch,
        ratio=0.2,
        activation=None,
        bias=False,
        normalize=None,
        init='default',
    ),
    head=dict(
        type='ltvl_mm.CLIPContrastiveHead',
        arch=arch,
        templates='single',
        loss='class_ce',
        logit_scale=100,
        frozen=True,
    ),
)
balanced_sampler = dict(
    type='ltvl_mm.ClassBalancedSampler', samples_per_class=4
)
optim_wrapper = dict(
    constructor='ltvl_mm.TrainableOptimWrapperConstructor',
    optimizer=dict(type='SGD', lr=0.2, momentum=0.9, weight_decay=5e-4),
)
auto_scale_lr = dict(base_batch_size=512)
param_scheduler = [dict(type='CosineAnnealingLR', T_max=max_epochs)]
train_cfg = dict(by_epoch=True, max_epochs=max_epochs)

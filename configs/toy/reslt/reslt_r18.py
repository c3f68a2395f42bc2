"""ResLT: branches for all classes, the rarer, the rarest; emoji world.

Command:  python tools/train.py configs/toy/reslt/reslt_r18.py
Hardware: 1 CPU core, 1 minute.
"""

_base_ = '../cross_entropy/cross_entropy_r18.py'

model = dict(
    neck=dict(_delete_=True, type='ltvl_mm.ResLTNeck', in_channels=128),
    head=dict(
        type='ltvl_mm.ResLTHead',
        loss=dict(_delete_=True, type='ltvl_mm.ResLTLoss', num_classes=96),
    ),
)
custom_hooks = [*_base_.custom_hooks, dict(type='ltvl_mm.ClassCountsHook')]

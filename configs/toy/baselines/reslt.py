"""ResLT: branches for all classes, the rarer, the rarest; on the toy world.

Command:  python tools/train.py configs/toy/baselines/reslt.py
Hardware: 2 CPU cores, 1 minute.
"""

_base_ = '../rx.py'

model = dict(
    neck=dict(_delete_=True, type='ltvl_mm.ResLTNeck', in_channels=256),
    head=dict(
        type='ltvl_mm.ResLTHead',
        loss=dict(_delete_=True, type='ltvl_mm.ResLTLoss', num_classes=96),
    ),
)
custom_hooks = [*_base_.custom_hooks, dict(type='ltvl_mm.ClassCountsHook')]

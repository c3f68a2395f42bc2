"""Balanced softmax: logit adjustment with tau = 1, on the emoji world.

Command:  python tools/train.py configs/emoji/baselines/balanced_softmax.py
Hardware: 2 CPU cores, 1 minute.
"""

_base_ = '../r18.py'

model = dict(
    head=dict(
        loss=dict(
            _delete_=True, type='ltvl_mm.LogitAdjustedLoss', num_classes=96
        )
    )
)
custom_hooks = [*_base_.custom_hooks, dict(type='ltvl_mm.ClassCountsHook')]
